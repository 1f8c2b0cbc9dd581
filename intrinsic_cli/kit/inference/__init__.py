"""From a photo in memory to its outputs: cut, run, bring back to full size; many photos in a
stream."""
