"""The colours of a decoded photo, brought to 8-bit RGB that every screen shows as it was meant."""

from typing import Any

import pyvips

from igloo_media.images.profiles import rewritten

PROFILE = "icc-profile-data"
SRGB = "srgb"
RGB_BANDS = 3
# ICC.1:2022: the header is 128 bytes and a count; a tag takes 12 (7.2 and 7.3).
ICC_HEAD_BYTES, ICC_TAG_BYTES = 132, 12


def as_shown(image: Any) -> Any:  # noqa: ANN401 - pyvips has no types
    """Return the image as 8-bit RGB, in sRGB or else in the colour space of the profile that it keeps."""
    if not has_profile(image):
        return _plain(image)
    profile = bytes(image.get(PROFILE))
    if not _is_whole(profile) or profile[16:20] != (b"RGB " if image.bands >= RGB_BANDS else b"GRAY"):
        # It describes no pixels like these; photos in CMYK left the decoder as sRGB already.
        return _plain(_without_profile(image))
    own = rewritten(profile)
    if image.bands >= RGB_BANDS and own is not None:
        return _plain(_with_profile(image, own))
    return _plain(_without_profile(in_srgb(image)))


def in_srgb(image: Any) -> Any:  # noqa: ANN401 - pyvips has no types
    """Return the image with the numbers that sRGB has for its colours."""
    if not has_profile(image) or bytes(image.get(PROFILE)) == _srgb_profile():
        return image
    try:
        # Rendered here: what is wrong with a profile shows once pixels go through it.
        return image.icc_transform(SRGB, embedded=True, depth=8).copy_memory()
    except pyvips.Error:
        return image


def has_profile(image: Any) -> bool:  # noqa: ANN401 - pyvips has no types
    """Whether the image has a colour profile of its own."""
    return bool(image.get_typeof(PROFILE) != 0)


def _srgb_profile() -> bytes:
    return bytes(pyvips.Image.profile_load(SRGB))


def _plain(image: Any) -> Any:  # noqa: ANN401 - pyvips has no types
    # Only the numbers change their depth: the profile, where there is one, goes on describing them.
    return image if image.interpretation == SRGB else image.colourspace(SRGB)


def _with_profile(image: Any, profile: bytes) -> Any:  # noqa: ANN401 - pyvips has no types
    described = image.copy()
    described.set_type(pyvips.GValue.blob_type, PROFILE, profile)
    return described


def _without_profile(image: Any) -> Any:  # noqa: ANN401 - pyvips has no types
    plain = image.copy()
    plain.remove(PROFILE)
    return plain


def _is_whole(profile: bytes) -> bool:
    """Whether a profile has the form of one, all of its tags inside."""
    if len(profile) < ICC_HEAD_BYTES or profile[36:40] != b"acsp":
        return False
    if int.from_bytes(profile[:4], "big") > len(profile) or profile[20:24] not in (b"XYZ ", b"Lab "):
        return False
    tags = int.from_bytes(profile[128:132], "big")
    table = profile[ICC_HEAD_BYTES : ICC_HEAD_BYTES + tags * ICC_TAG_BYTES]
    entries = [table[start : start + ICC_TAG_BYTES] for start in range(0, len(table), ICC_TAG_BYTES)]
    return tags == len(entries) > 0 and all(_ends_inside(entry, len(profile)) for entry in entries)


def _ends_inside(entry: bytes, length: int) -> bool:
    return int.from_bytes(entry[4:8], "big") + int.from_bytes(entry[8:12], "big") <= length
