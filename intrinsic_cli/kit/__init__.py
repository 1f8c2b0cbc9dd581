"""The workshop: shared torch rooms, open to plugins. Import the module you need; nothing is
re-exported here."""
