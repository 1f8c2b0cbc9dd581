"""Cameras and a renderer of triangle meshes whose silhouettes and colours have gradients.

Written in plain torch, one code for CPU and CUDA, any floating-point kind. Points come projected
(:func:`camera.project`): x to the right, y DOWN, -1..1 across the picture, z away from the viewer.
Faces are seen from both sides. :mod:`soft` has gradients with respect to the points, :mod:`hard`
says which face is in front. What both are made of: :mod:`pairs` finds the pixels that lie near
faces, :mod:`edges` measures how near.
"""
