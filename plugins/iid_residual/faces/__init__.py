"""Faces in photos: how they are found, and how they are brought upright."""
