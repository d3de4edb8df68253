"""Renditions as WebP files, still or moving, that carry nothing but pixels and their colour profile."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyvips

from igloo_media.images.frames import Frames
from igloo_media.images.outcome import CONTENT_TYPE, RenditionFile, file_of


@dataclass(frozen=True, kw_only=True)
class WebP:
    """How a rendition is encoded: quality from 0 to 100, effort from 0 to 6."""

    quality: int
    effort: int


# By measurement (docs/performance.md): what feeds show is read often, and gets more effort for a better
# picture in fewer bytes; the full size is read seldom, and has most of the pixels. Below these qualities
# skies begin to show bands. An animation is encoded frame by frame.
STILL = {
    "full": WebP(quality=80, effort=0),
    "feed": WebP(quality=78, effort=4),
    "thumb": WebP(quality=75, effort=4),
}
MOVING = {"full": WebP(quality=80, effort=2), "feed": WebP(quality=78, effort=2)}


def encoded(frames: Frames, folder: Path, name: str) -> RenditionFile:
    """Write one rendition into the folder."""
    path = file_of(folder, name)
    image, webp = (_strip(frames), MOVING[name]) if frames.is_animated else (frames.first, STILL[name])
    # Only the colour profile stays: no position, no camera, no comment leaves with a rendition.
    image.webpsave(str(path), Q=webp.quality, effort=webp.effort, keep="icc")
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
