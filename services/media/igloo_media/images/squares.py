"""The square of a photo that a thumbnail shows: as large as fits, around the point where the eye falls."""

from typing import Any

FocalPoint = tuple[float, float]
MIDDLE: FocalPoint = (0.5, 0.5)


def square(image: Any, side: int, focal_point: FocalPoint | None) -> Any:  # noqa: ANN401 - pyvips has no types
    """Return the largest square around the focal point that stays inside, at most `side` pixels wide."""
    across, down = focal_point or MIDDLE
    edge = min(image.width, image.height)
    cut = image.crop(
        _first_pixel(across, image.width, edge), _first_pixel(down, image.height, edge), edge, edge
    )
    if edge > side:
        cut = cut.thumbnail_image(side, height=side, size="force")
    return cut.copy_memory()


def _first_pixel(share: float, length: int, edge: int) -> int:
    return max(0, min(length - edge, round(share * length - edge / 2)))
