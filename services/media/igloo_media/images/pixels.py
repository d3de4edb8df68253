"""The pixel work of one photo; runs in the child process alone."""

from math import isqrt
from pathlib import Path
from typing import Any

import pyvips

from igloo_media.images.colors import has_profile, in_srgb
from igloo_media.images.encoding import encoded
from igloo_media.images.frames import Frames, decoded, within
from igloo_media.images.header import read_header
from igloo_media.images.outcome import ImageRejected, Photo, RenditionFile, too_much_memory, unreadable
from igloo_media.images.palette import blurhash, dominant_color
from igloo_media.images.receipt import receipt_of
from igloo_media.images.squares import FocalPoint, square

FULL_PIXELS, FEED_PIXELS, THUMB_PIXELS = 2048, 1080, 320
# An animation costs by the frame, on the way to the phone as well: the longer side is kept smaller, the more
# so the more frames there are. This bounds what its frames hold together.
MOVING_FULL_PIXELS, MOVING_FEED_PIXELS = 1080, 720
MOVING_FULL_AREA, MOVING_FEED_AREA = 30_000_000, 15_000_000
PALETTE_PIXELS = 32


def render(source: Path, folder: Path, focal_point: FocalPoint | None = None) -> Photo:
    """Write the renditions of one photo into the folder.

    Raises:
        ImageRejected: with a stable code, when the bytes are not a photo that igloo takes.
    """
    try:
        header = read_header(source)
        full_side, feed_side = _sides(header.frames)
        full = decoded(header, full_side)
    except pyvips.Error as error:
        raise _refusal(error) from error
    # An error from here on is not the photo's fault (a full disk): it ends the child, and is tried again.
    feed = full.each(lambda frame: within(frame, feed_side))
    thumb = Frames(images=(_thumb(full.first, feed.first, focal_point),))
    tiny = _placeholder(feed.first)
    pixels = bytes(tiny.write_to_memory())
    across, down = (4, 3) if header.width >= header.height else (3, 4)
    return Photo(
        width=header.width,
        height=header.height,
        frames=header.frames,
        blurhash=blurhash(pixels, tiny.width, tiny.height, across=across, down=down),
        dominant_color=dominant_color(pixels),
        receipt=receipt_of(header, keeps_profile=has_profile(full.first)),
        renditions=tuple(
            encoded(frames, folder, name)
            for name, frames in (("thumb", thumb), ("feed", feed), ("full", full))
        ),
    )


def cut_thumb(source: Path, folder: Path, focal_point: FocalPoint | None = None) -> RenditionFile:
    """Write another thumbnail of a photo into the folder, from its `full` rendition.

    Raises:
        ImageRejected: with code `unreadable_image`, when that is no rendition of ours.
    """
    try:
        full = pyvips.Image.webpload(str(source), n=1, fail_on="error").copy_memory()
    except pyvips.Error as error:
        raise _refusal(error) from error
    return encoded(Frames(images=(square(full, THUMB_PIXELS, focal_point),)), folder, "thumb")


def _sides(frames: int) -> tuple[int, int]:
    """Return how long the longer side of `full` and of `feed` may be."""
    if frames == 1:
        return FULL_PIXELS, FEED_PIXELS
    return (
        min(MOVING_FULL_PIXELS, isqrt(MOVING_FULL_AREA // frames)),
        min(MOVING_FEED_PIXELS, isqrt(MOVING_FEED_AREA // frames)),
    )


def _thumb(full: Any, feed: Any, focal_point: FocalPoint | None) -> Any:  # noqa: ANN401 - pyvips has no types
    """Cut from the smaller one where it has the pixels; that of a panorama has too few rows."""
    has_enough = min(feed.width, feed.height) >= THUMB_PIXELS
    return square(feed if has_enough else full, THUMB_PIXELS, focal_point)


def _refusal(error: pyvips.Error) -> ImageRejected:
    return too_much_memory() if "out of memory" in str(error) else unreadable()


def _placeholder(image: Any) -> Any:  # noqa: ANN401 - pyvips has no types
    """Return a tiny opaque sRGB image of three 8-bit bands."""
    tiny = in_srgb(image.thumbnail_image(PALETTE_PIXELS, height=PALETTE_PIXELS, size="down"))
    tiny = tiny.colourspace("srgb")
    if tiny.hasalpha():
        tiny = tiny.flatten(background=255)
    return tiny.cast("uchar")
