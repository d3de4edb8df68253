"""The encoders that a rendition could be written with, each over a range of qualities."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import pyvips

QUALITIES: Final[Mapping[str, tuple[int, ...]]] = {
    "JPEG": (35, 55, 80, 93),
    "WebP": (30, 60, 80, 93),
    "AVIF": (25, 45, 65, 85),
}
WEBP_EFFORTS, QUICK_WEBP_EFFORTS = range(7), (0, 2, 4)
# libvips counts the other way round: its effort 0 is aom's speed 9.
AVIF_EFFORTS, QUICK_AVIF_EFFORTS = (0, 1, 2), (0,)
JPEG_WAYS: Final[Mapping[str, Mapping[str, bool]]] = {
    "plain": {},
    "optimised": {"optimize_coding": True},
    "trellis": {"optimize_coding": True, "trellis_quant": True, "overshoot_deringing": True},
    "trellis, progressive": {
        "optimize_coding": True,
        "trellis_quant": True,
        "overshoot_deringing": True,
        "interlace": True,
        "optimize_scans": True,
    },
}


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """One format written in one way; only the quality is still open."""

    format_name: str
    way: str
    write: Callable[..., bytes] = field(repr=False)

    @property
    def name(self) -> str:
        """What the tables call it."""
        return f"{self.format_name} {self.way}"

    @property
    def qualities(self) -> tuple[int, ...]:
        """The qualities that are tried; each format counts them in its own way."""
        return QUALITIES[self.format_name]


def encoders(*, quick: bool) -> list[Encoder]:
    """Return all ways of all formats, or the cheap ones alone."""
    jpeg = [
        Encoder(format_name="JPEG", way=way, write=partial(_jpeg, options))
        for way, options in JPEG_WAYS.items()
        if not quick or "progressive" not in way
    ]
    webp = [webp_encoder(effort) for effort in (QUICK_WEBP_EFFORTS if quick else WEBP_EFFORTS)]
    avif = [
        Encoder(format_name="AVIF", way=f"speed {9 - effort}", write=partial(_avif, effort))
        for effort in (QUICK_AVIF_EFFORTS if quick else AVIF_EFFORTS)
    ]
    return [*jpeg, *webp, *avif]


def webp_encoder(effort: int) -> Encoder:
    """Return libwebp at an effort of 0 to 6."""
    return Encoder(format_name="WebP", way=f"effort {effort}", write=partial(_webp, effort))


def decoded(encoded: bytes) -> Any:  # noqa: ANN401 - pyvips has no types
    """Return the pixels that a reader of the encoded picture sees."""
    return pyvips.Image.new_from_buffer(encoded, "").copy_memory()


def _jpeg(options: Mapping[str, bool], image: Any, quality: int) -> bytes:  # noqa: ANN401 - pyvips has no types
    return bytes(image.jpegsave_buffer(Q=quality, keep="icc", **options))


def _webp(effort: int, image: Any, quality: int) -> bytes:  # noqa: ANN401 - pyvips has no types
    return bytes(image.webpsave_buffer(Q=quality, effort=effort, keep="icc"))


def _avif(effort: int, image: Any, quality: int) -> bytes:  # noqa: ANN401 - pyvips has no types
    return bytes(image.heifsave_buffer(Q=quality, effort=effort, compression="av1", keep="icc"))
