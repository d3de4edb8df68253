"""What a file says about itself, read and held against the caps before anything of it is decoded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyvips

from igloo_media.images.limits import MAX_ANIMATION_PIXELS, MAX_BYTES, MAX_FRAMES, MAX_PIXELS
from igloo_media.images.outcome import ImageRejected
from igloo_media.images.sniff import ACCEPTED, sniff_format

LYING_ORIENTATIONS = (5, 6, 7, 8)  # of EXIF: width and height are exchanged
ANIMATED_FORMATS = ("gif", "webp")
# Of what the container of HEIC and AVIF may carry; JPEG and AVC in it come from no camera.
HEIF_CODECS = ("hevc", "av1")
MEGA = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Header:
    """A file that is within the caps, and nothing of it decoded yet."""

    source: Path
    format: str
    width: int
    height: int
    """Both of one frame, upright."""
    frames: int
    is_hevc: bool
    fields: Any
    """libvips' image of the first frame: it holds the metadata."""


def read_header(source: Path) -> Header:
    """Read the header alone.

    Raises:
        ImageRejected: with a stable code, when the file is none that igloo takes.
        pyvips.Error: when libvips cannot read it.
    """
    _check_size(source)
    format_name = sniff_format(source)
    # By itself libvips knows no AVIF that moves.
    opened = pyvips.Image.heifload if format_name == "heif" else pyvips.Image.new_from_file
    fields = opened(str(source), access="sequential")
    if not fields.get("vips-loader").startswith(format_name):
        raise ImageRejected("unsupported_format", "The file pretends to be another format than it is.")
    codec = _field(fields, "heif-compression", "")
    if format_name == "heif" and codec not in HEIF_CODECS:
        raise ImageRejected("unsupported_format", f"This kind of HEIF is not accepted; {ACCEPTED}")
    frames = _field(fields, "n-pages", 1) if format_name in ANIMATED_FORMATS else 1
    _check_pixels(fields.width, fields.height, frames)
    # A browser turns no animation either, whatever its EXIF says.
    lies = frames == 1 and _field(fields, "orientation", 1) in LYING_ORIENTATIONS
    width, height = (fields.height, fields.width) if lies else (fields.width, fields.height)
    return Header(
        source=source,
        format=format_name,
        width=width,
        height=height,
        frames=frames,
        is_hevc=codec == "hevc",
        fields=fields,
    )


def _check_size(source: Path) -> None:
    if source.stat().st_size > MAX_BYTES:
        raise ImageRejected(
            "file_too_large", f"The file is too large; at most {MAX_BYTES // MEGA} MB are accepted."
        )


def _check_pixels(width: int, height: int, frames: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageRejected(
            "too_many_pixels",
            f"The photo is {width} by {height} pixels; at most {MAX_PIXELS // MEGA} megapixels are accepted.",
        )
    if frames > MAX_FRAMES:
        raise ImageRejected(
            "too_many_frames", f"The animation has {frames} frames; at most {MAX_FRAMES} are accepted."
        )
    if frames > 1 and frames * width * height > MAX_ANIMATION_PIXELS:
        raise ImageRejected(
            "animation_too_large",
            f"The animation is {frames} frames of {width} by {height} pixels;"
            f" at most {MAX_ANIMATION_PIXELS // MEGA} megapixels together are accepted.",
        )


def _field(image: Any, name: str, default: Any) -> Any:  # noqa: ANN401 - a field may hold anything
    return image.get(name) if image.get_typeof(name) else default
