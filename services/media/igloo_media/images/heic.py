"""HEIC, the format of iPhones: decoded by libheif, because libvips' own wheel has no decoder for HEVC."""

from typing import Any

import pillow_heif
import pyvips
from pillow_heif import options

from igloo_media.images.colors import PROFILE
from igloo_media.images.header import Header
from igloo_media.images.outcome import ImageRejected, too_much_memory, unreadable

# One photo, one core, as with libvips; and nothing but the photo itself is ever decoded.
options.DECODE_THREADS = 1
options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
# libheif's own limits on sizes, tiles and items; the child's memory limit holds besides.
options.DISABLE_SECURITY_LIMITS = False
# Of ISO/IEC 23091-2: the primaries of Display P3, which some cameras name instead of adding a profile.
DISPLAY_P3_PRIMARIES = 12
BANDS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
DEEP = "I;16"


def decoded_heic(header: Header) -> Any:  # noqa: ANN401 - pyvips has no types
    """Return the whole photo, upright: libheif has applied its rotation, mirror and crop.

    The orientation in its EXIF repeats these, and is not applied (ISO/IEC 23008-12, A.2.1 of HEIF).

    Raises:
        ImageRejected: the photo is damaged, or larger than its header said.
    """
    try:
        photo = _primary(header)
        pixels = photo.data
    except MemoryError as error:
        raise too_much_memory() from error
    # What pillow-heif documents to raise for bytes that it cannot read.
    except (ValueError, EOFError, SyntaxError, RuntimeError, OSError) as error:
        raise _refusal(error) from error
    if photo.size != (header.width, header.height):
        raise unreadable()
    return _described(_image(photo, pixels), photo.info)


def _refusal(error: Exception) -> ImageRejected:
    """Tell a lack of memory from a file that lies, which libheif reports as memory too."""
    told = str(error).lower()
    return too_much_memory() if "memory" in told and "security limit" not in told else unreadable()


def _primary(header: Header) -> pillow_heif.HeifImage:
    file = pillow_heif.open_heif(header.source, convert_hdr_to_8bit=True)
    photo = file[file.primary_index]
    if photo.size != (header.width, header.height):
        raise unreadable()
    return photo


def _image(photo: pillow_heif.HeifImage, pixels: bytes) -> Any:  # noqa: ANN401 - pyvips has no types
    mode = photo.mode
    if mode.startswith(DEEP):
        image = pyvips.Image.new_from_memory(pixels, *photo.size, 1, "ushort")
        return image.copy(interpretation="grey16")
    premultiplied = mode.endswith("a")
    bands = BANDS[mode.upper()]
    image = pyvips.Image.new_from_memory(pixels, *photo.size, bands, "uchar")
    image = image.copy(interpretation="srgb" if bands > BANDS["LA"] else "b-w")
    return image.unpremultiply().cast("uchar") if premultiplied else image


def _described(image: Any, info: dict[str, Any]) -> Any:  # noqa: ANN401 - pyvips has no types
    profile = info.get("icc_profile")
    if profile is None and info.get("nclx_profile", {}).get("color_primaries") == DISPLAY_P3_PRIMARIES:
        profile = bytes(pyvips.Image.profile_load("p3"))
    if profile:
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, PROFILE, profile)
    return image


def pictures_besides(header: Header) -> set[str]:
    """Return the kinds of pictures that the file holds besides the photo, none of which is decoded."""
    file = pillow_heif.open_heif(header.source)
    photo = file[file.primary_index]._c_image
    kinds = {
        "embedded_thumbnail": bool(photo.thumbnails),
        "embedded_pictures": len(file) > 1 or bool(photo.depth_image_list) or bool(photo.aux_image_ids),
    }
    return {kind for kind, is_there in kinds.items() if is_there}
