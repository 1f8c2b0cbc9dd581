"""Everything that lies on disk: whole or absent.

- Reading: ``photo`` (light in memory), on ``decode`` (numbers), ``exr``, ``tiff``, ``opencv``;
  ``read_bytes``, ``memory`` and ``quiet`` guard it against files that strangers made;
  ``os_errors`` says what is wrong with a path.
- Large photos: ``photo_rows`` keeps their codes; ``float_rows`` reads floats from the file when
  they are asked for, by ``exr_scanlines``, ``hdr_scanlines`` and ``tiff_strips``.
- Writing: ``outputs`` (everything a method hands out, by kind), on ``layers`` and ``encodings``,
  ``meshes`` (``obj``, ``glb``), ``animations``, ``records``; ``sidecar`` tells what was made.
- ``read_layers`` reads layers again, ``layer_rows`` some rows at a time; ``contact_sheet`` shows
  many; ``formats`` names them all.

Light to import: ``atomic``, ``available_memory``, ``formats``, ``memory``, ``os_errors``,
``outputs``, ``quiet``, ``read_bytes``, ``read_layers``, ``sidecar``.
"""
