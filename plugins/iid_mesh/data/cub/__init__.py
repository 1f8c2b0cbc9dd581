"""CUB-200-2011 (Wah et al. 2011): photos of birds with boxes, keypoints and silhouettes."""
