"""The pixel work of one photo with libvips; runs in the child process alone."""

from pathlib import Path
from typing import Any

import pyvips

from igloo_media.images.limits import MAX_FRAMES, MAX_PIXELS
from igloo_media.images.outcome import ImageRejected, Photo, Receipt, RenditionFile
from igloo_media.images.palette import blurhash, dominant_color
from igloo_media.images.sniff import sniff_format
from igloo_media.images.squares import FocalPoint, square

# Effort 2 costs 30 to 45 % less CPU than effort 4 for about 5 % more bytes.
WEBP_EFFORT = 2
CONTENT_TYPE = "image/webp"
FULL_PIXELS, FEED_PIXELS, THUMB_PIXELS = 2048, 1080, 320
QUALITY = {"full": 80, "feed": 78, "thumb": 75}
PALETTE_PIXELS = 32
LYING_ORIENTATIONS = (5, 6, 7, 8)  # of EXIF: width and height are exchanged
UNREADABLE = "The photo is damaged or incomplete and cannot be read."


def render(source: Path, folder: Path, focal_point: FocalPoint | None = None) -> Photo:
    """Write the renditions of one photo into the folder.

    Raises:
        ImageRejected: with a stable code, when the bytes are not a photo that igloo takes.
    """
    try:
        width, height = _upright_size(source)
        full = _decoded(source, width=width, height=height)
    except pyvips.Error as error:
        raise _refusal(error) from error
    # An error from here on is not the photo's fault (a full disk): it ends the child, and is tried again.
    feed = _within(full, FEED_PIXELS)
    thumb = square(feed if min(feed.width, feed.height) >= THUMB_PIXELS else full, THUMB_PIXELS, focal_point)
    sizes = {"thumb": thumb, "feed": feed, "full": full}
    tiny = _placeholder(feed)
    pixels = bytes(tiny.write_to_memory())
    across, down = (4, 3) if width >= height else (3, 4)
    return Photo(
        width=width,
        height=height,
        frames=1,
        receipt=Receipt(removed=(), kept=()),
        blurhash=blurhash(pixels, tiny.width, tiny.height, across=across, down=down),
        dominant_color=dominant_color(pixels),
        renditions=tuple(_encoded(image, folder, name) for name, image in sizes.items()),
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
    return _encoded(square(full, THUMB_PIXELS, focal_point), folder, "thumb")


def _upright_size(source: Path) -> tuple[int, int]:
    """Read the header alone: nothing is decoded before the caps are checked."""
    format_name = sniff_format(source)
    header = pyvips.Image.new_from_file(str(source), access="sequential")
    if not header.get("vips-loader").startswith(format_name):
        raise ImageRejected("unsupported_format", "The file pretends to be another format than it is.")
    if header.width * header.height > MAX_PIXELS:
        raise ImageRejected("too_many_pixels", _too_many_pixels(header.width, header.height))
    frames = header.get("n-pages") if header.get_typeof("n-pages") else 1
    if frames > MAX_FRAMES:
        raise ImageRejected(
            "too_many_frames", f"The image has {frames} frames; at most {MAX_FRAMES} are accepted."
        )
    lying = header.get_typeof("orientation") != 0 and header.get("orientation") in LYING_ORIENTATIONS
    return (header.height, header.width) if lying else (header.width, header.height)


def _too_many_pixels(width: int, height: int) -> str:
    return (
        f"The photo is {width} by {height} pixels; at most {MAX_PIXELS // 1_000_000} megapixels are accepted."
    )


def _refusal(error: pyvips.Error) -> ImageRejected:
    if "out of memory" in str(error):
        return ImageRejected(
            "too_much_memory", "The photo needs more memory to open than one photo may have."
        )
    return ImageRejected("unreadable_image", UNREADABLE)


def _decoded(source: Path, *, width: int, height: int) -> Any:  # noqa: ANN401 - pyvips has no types
    """Decode once, upright and no larger than `full`; the smaller sizes are made from this."""
    image = pyvips.Image.thumbnail(
        str(source), min(FULL_PIXELS, width), height=min(FULL_PIXELS, height), size="down", fail_on="error"
    )
    return _without_foreign_profile(image.copy_memory())


def _within(image: Any, side: int) -> Any:  # noqa: ANN401 - pyvips has no types
    if max(image.width, image.height) <= side:
        return image
    return image.thumbnail_image(side, height=side, size="down").copy_memory()


def _without_foreign_profile(image: Any) -> Any:  # noqa: ANN401 - pyvips has no types
    """Drop a profile that no longer describes the pixels: CMYK photos leave the decoder as sRGB."""
    if image.get_typeof("icc-profile-data") == 0 or _is_rgb_profile(image.get("icc-profile-data")):
        return image
    plain = image.copy()
    plain.remove("icc-profile-data")
    return plain


def _is_rgb_profile(profile: bytes) -> bool:
    # Bytes 16 to 19 of an ICC header name the colour space of the device (ICC.1:2022, table 17).
    return bytes(profile[16:20]) == b"RGB "


def _placeholder(image: Any) -> Any:  # noqa: ANN401 - pyvips has no types
    """Return a tiny opaque sRGB image of three 8-bit bands."""
    tiny = image.thumbnail_image(PALETTE_PIXELS, height=PALETTE_PIXELS, size="down").colourspace("srgb")
    if tiny.hasalpha():
        tiny = tiny.flatten(background=255)
    return tiny.cast("uchar")


def _encoded(image: Any, folder: Path, name: str) -> RenditionFile:  # noqa: ANN401 - pyvips has no types
    path = folder / f"{name}.webp"
    # Only the colour profile stays: no position, no camera, no comment leaves with a rendition.
    image.webpsave(str(path), Q=QUALITY[name], effort=WEBP_EFFORT, keep="icc")
    return RenditionFile(
        name=name,
        path=path,
        width=image.width,
        height=image.height,
        content_type=CONTENT_TYPE,
        size_bytes=path.stat().st_size,
    )
