"""Renditions as WebP files, still or moving, that carry nothing but pixels and their colour profile."""

from pathlib import Path
from typing import Any

import pyvips

from igloo_media.images.frames import Frames
from igloo_media.images.outcome import RenditionFile

# Effort 2 costs 30 to 45 % less CPU than effort 4 for about 5 % more bytes.
WEBP_EFFORT = 2
CONTENT_TYPE = "image/webp"
QUALITY = {"full": 80, "feed": 78, "thumb": 75}


def encoded(frames: Frames, folder: Path, name: str) -> RenditionFile:
    """Write one rendition into the folder."""
    path = folder / f"{name}.webp"
    image = _strip(frames) if frames.is_animated else frames.first
    # Only the colour profile stays: no position, no camera, no comment leaves with a rendition.
    image.webpsave(str(path), Q=QUALITY[name], effort=WEBP_EFFORT, keep="icc")
    return RenditionFile(
        name=name,
        path=path,
        width=frames.first.width,
        height=frames.first.height,
        content_type=CONTENT_TYPE,
        size_bytes=path.stat().st_size,
        is_animated=frames.is_animated,
    )


def _strip(frames: Frames) -> Any:  # noqa: ANN401 - pyvips has no types
    """Put the frames one below the other: this is how libvips knows an animation."""
    strip = pyvips.Image.arrayjoin(list(frames.images), across=1).copy()
    strip.set_type(pyvips.GValue.gint_type, "page-height", frames.first.height)
    strip.set_type(pyvips.GValue.array_int_type, "delay", list(frames.delays))
    strip.set_type(pyvips.GValue.gint_type, "loop", frames.loop)
    return strip
