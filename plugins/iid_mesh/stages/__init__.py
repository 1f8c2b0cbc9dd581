"""Training: ``s1`` grows the template, ``template`` finds where its parts lie, ``s2`` learns
shapes, cameras and textures on it, ``flow`` from which pixels vertices have their colours.

After UMR (Li et al., ECCV 2020), with one departure that CPU training needs: cameras learn from a
search that compares part maps with the template seen from all around, instead of by gradients
through renders alone, which leaves them at chance for long. Photos, silhouettes and maps of parts
(in ``flow`` of smaller zones, where a dataset has them) are all that is learned from.
"""
