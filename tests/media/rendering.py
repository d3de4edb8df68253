"""A file through the real child, and its renditions looked at with another library."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from igloo_media.images import ImageRejected, Photo, Renderer, RenditionFile

# How a camera stores what is to be shown upright, by the orientation that it notes.
STORED = {
    1: lambda image: image,
    2: lambda image: image.fliphor(),
    3: lambda image: image.rot180(),
    4: lambda image: image.flipver(),
    5: lambda image: image.rot90().fliphor(),
    6: lambda image: image.rot270(),
    7: lambda image: image.rot270().fliphor(),
    8: lambda image: image.rot90(),
}


def render(
    renderer: Renderer, folder: Path, photo: bytes, *, focal_point: tuple[float, float] | None = None
) -> Photo:
    """Render the file."""
    source = folder / "original"
    source.write_bytes(photo)
    return renderer.render(source, folder, focal_point=focal_point)


def rendition(photo: Photo, name: str) -> RenditionFile:
    """Return one rendition."""
    return next(each for each in photo.renditions if each.name == name)


def opened(photo: Photo, name: str) -> Image.Image:
    """Open one rendition with Pillow."""
    return Image.open(io.BytesIO(rendition(photo, name).path.read_bytes()))


def colour(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """Return the red, green and blue of one pixel."""
    return tuple(image.convert("RGB").crop((x, y, x + 1, y + 1)).tobytes())


def is_close(colour: tuple[int, ...], wanted: tuple[int, ...], *, within: int = 12) -> bool:
    """Whether a colour is another one but for what compression does."""
    return all(abs(one - other) <= within for one, other in zip(colour, wanted, strict=True))


def refusal(renderer: Renderer, folder: Path, photo: bytes) -> ImageRejected:
    """Return why the file is refused."""
    with pytest.raises(ImageRejected) as rejected:
        render(renderer, folder, photo)
    assert str(rejected.value)
    return rejected.value
