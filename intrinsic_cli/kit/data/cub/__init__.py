"""CUB-200-2011: photos of birds."""
