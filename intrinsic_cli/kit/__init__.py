"""The workshop: what methods are built with, in eight rooms. Import the module you need; nothing is
re-exported here.

- ``light``: transfer curves, sizes, exposure; small layers brought to full size. Knows no other
  room.
- ``files``: photos, layers, meshes and sidecars on disk, whole or absent.
- ``networks``: blocks, an encoder, losses, checkpoints, devices.
- ``inference``: from a photo in memory to its outputs, one or a stream of them.
- ``training``: the one loop, its schedule, log and processes.
- ``data``: datasets, a small reader each.
- ``metrics``: how far an answer is from the truth.
- ``score``: the protocols that are made of metrics.

Stable for plugins, so that a name in them changes only with a line in CHANGELOG.md: ``light``,
``networks``, ``metrics``, and ``files.photo`` and ``files.exr``. The others serve the house first:
plugins may use them, and follow when they change.
"""
