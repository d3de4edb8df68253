"""The renditions as igloo makes them today: sizes, quality and effort, and their pixels before encoding."""

from typing import Any, Final

import pyvips

from igloo_media.images.encoding import MOVING, STILL, WebP
from igloo_media.images.pixels import (
    FEED_PIXELS,
    FULL_PIXELS,
    MOVING_FEED_PIXELS,
    MOVING_FULL_PIXELS,
    THUMB_PIXELS,
)

SIDES: Final = {"thumb": THUMB_PIXELS, "feed": FEED_PIXELS, "full": FULL_PIXELS}
MOVING_SIDES: Final = {"full": MOVING_FULL_PIXELS, "feed": MOVING_FEED_PIXELS}
QUALITY_TODAY: Final = {name: webp.quality for name, webp in STILL.items()}
EFFORT_TODAY: Final = {name: webp.effort for name, webp in STILL.items()}


def unencoded(photo: Any) -> dict[str, Any]:  # noqa: ANN401 - pyvips has no types
    """Return the pixels of each rendition of a photo that was decoded to the size of the largest."""
    feed = photo.thumbnail_image(FEED_PIXELS, height=FEED_PIXELS, size="down").copy_memory()
    thumb = feed.thumbnail_image(THUMB_PIXELS, height=THUMB_PIXELS, crop="centre").copy_memory()
    return {"thumb": thumb, "feed": feed, "full": photo}


def decode_jpeg(jpeg: bytes) -> Any:  # noqa: ANN401 - pyvips has no types
    """Decode to the size of the largest rendition, by the shrinking that JPEG itself offers."""
    return pyvips.Image.thumbnail_buffer(jpeg, FULL_PIXELS, height=FULL_PIXELS, size="down").copy_memory()


def write(image: Any, path: str, name: str) -> None:  # noqa: ANN401 - pyvips has no types
    """Write a rendition as igloo does today."""
    webp = today(name, is_moving=bool(image.get_typeof("page-height")))
    image.webpsave(path, Q=webp.quality, effort=webp.effort, keep="icc")


def today(name: str, *, is_moving: bool) -> WebP:
    """Return how igloo encodes a rendition today."""
    return MOVING[name] if is_moving else STILL[name]
