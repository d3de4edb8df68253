"""Colour profiles written anew: the same colours, and no byte that was not colour."""

from __future__ import annotations

import pytest
import pyvips

from igloo_media.images.profiles import rewritten
from media.corpus import icc
from media.corpus.secrets import WORDS


def shown(profile: bytes) -> list[list[float]]:
    """Return some colours of this profile as sRGB."""
    colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 120, 60), (10, 20, 30), (128, 128, 128)]
    pixels = bytes(value for color in colors for value in color)
    image = pyvips.Image.new_from_memory(pixels, len(colors), 1, 3, "uchar").copy(interpretation="srgb")
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    plain = image.icc_transform("srgb", embedded=True, intent="relative")
    return [plain(n, 0) for n in range(len(colors))]


@pytest.mark.parametrize(
    "profile",
    [
        icc.display_p3(),
        icc.adobe_rgb(),
        bytes(pyvips.Image.profile_load("p3")),
        bytes(pyvips.Image.profile_load("srgb")),
    ],
    ids=["curves of display p3", "adobe rgb", "parametric curves of p3", "srgb"],
)
def test_the_colours_stay_the_same(profile: bytes) -> None:
    own = rewritten(profile)

    assert own is not None
    assert own != profile
    assert shown(own) == shown(profile)
    assert rewritten(own) == own


def test_words_in_names_between_tags_and_behind_the_last_one_go() -> None:
    named = icc.display_p3(WORDS)
    longer = named + WORDS

    own = rewritten(icc.with_size(longer, len(longer)))

    assert own is not None
    assert WORDS not in own
    assert own == rewritten(icc.display_p3())


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        bytes(range(256)) * 4,
        icc.display_p3()[:200],
        icc.with_space(icc.display_p3(), b"CMYK"),
        icc.display_p3().replace(b"rXYZ", b"xXYZ", 1),
        icc.display_p3().replace(b"cprt", b"A2B0", 1),
        icc.matrix_profile(icc.DISPLAY_P3, curve=WORDS + WORDS[:1]),
    ],
    ids=["empty", "noise", "cut off", "inks", "a primary missing", "tables", "words as a curve"],
)
def test_what_is_no_profile_of_primaries_and_curves_is_not_written_anew(profile: bytes) -> None:
    assert rewritten(profile) is None
