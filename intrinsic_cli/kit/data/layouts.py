"""What the files of each dataset look like: shown by ``iid datasets NAME`` and in every error that
misses one. Light to import."""

from __future__ import annotations

SYNTH = "train/ and val/ with *.tar shards"
FOLDER = "photo/, albedo/, shading/ (and mask/) with equal file names"
STEADY = "image files"
REFLECTION = "image files, or train/ and val/ with *.tar shards"
UNPAIRED = "photo/, albedo/ and shading/ with any files, or three folders: PHOTOS,ALBEDOS,SHADINGS"
MIT = (
    "OBJECT/diffuse.png, reflectance.png, shading.png (or shading_color.png) and mask.png, "
    "16-bit linear"
)
MIT_LIGHTS = "OBJECT/light01.png … light10.png and mask.png, 16-bit linear"
ARAP = "SCENE_image.png, SCENE_albedo.png and SCENE_shading.png, linear"
IIW = "data/ID.png and data/ID.json"
SAW = (
    "saw_images_512/ID.png, saw_pixel_labels/saw_data-…/ID.npy and saw_splits/{train,test}_ids.npy"
)
SINTEL = (
    "training/clean/SCENE/frame_NNNN.png, and the same below training/albedo and training/shading; "
    "scene-test.txt or image-test.txt say what is held out, else it is every second one"
)
HYPERSIM = "ai_XXX_XXX/images/scene_cam_XX_*/frame.NNNN.{ldr,diffuse_reflectance,shading}.exr"
HYPERSIM_ORIGINALS = (
    "ai_XXX_XXX/images/scene_cam_XX_final_hdf5/frame.NNNN.{color,diffuse_reflectance}.hdf5 "
    "(or .exr)"
)
CGINTRINSICS = "images/SCENE/NAME.png, NAME_albedo.png and NAME_mask.png"
