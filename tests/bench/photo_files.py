"""The files that phones and people send, made in code: JPEG, HEIC, PNG and GIF."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pillow_heif
import pyvips

from bench.pictures import CAMERA_QUALITY, portrait, screenshot

FRAMES, FRAME_WIDTH, FRAME_HEIGHT = 24, 960, 720
TINY: Final = 64
HEIC_QUALITY: Final = 60
"""About what iPhones write: half the size of their JPEG."""


def write_all(folder: Path) -> dict[str, Path]:
    """Write each kind of photo into the folder, and a tiny one of the same format beside it."""
    face = portrait(1)
    images = {
        "12 MP JPEG": (face, _jpeg, "jpg"),
        "12 MP HEIC": (face, _heic, "heic"),
        "48 MP JPEG": (face.resize(2, kernel="cubic"), _jpeg, "jpg"),
        "12 MP PNG": (screenshot(1), _png, "png"),
        f"GIF of {FRAMES} frames": (face, _gif, "gif"),
    }
    return {
        name: _written(folder / f"{n}.{suffix}", image, write)
        for n, (name, (image, write, suffix)) in enumerate(images.items())
    }


def tiny_of(path: Path) -> Path:
    """Return the path of the tiny photo of the same format."""
    return path.with_stem(f"{path.stem}-tiny")


def _written(path: Path, image: Any, write: Callable[[Any, Path], None]) -> Path:  # noqa: ANN401 - pyvips has no types
    write(image, path)
    write(image.thumbnail_image(TINY), tiny_of(path))
    return path


def _jpeg(image: Any, path: Path) -> None:  # noqa: ANN401 - pyvips has no types
    image.jpegsave(str(path), Q=CAMERA_QUALITY)


def _heic(image: Any, path: Path) -> None:  # noqa: ANN401 - pyvips has no types
    pixels = bytes(image.write_to_memory())
    photo = pillow_heif.from_bytes(mode="RGB", size=(image.width, image.height), data=pixels)
    photo.save(path, quality=HEIC_QUALITY, enc_params={"preset": "ultrafast"})


def _png(image: Any, path: Path) -> None:  # noqa: ANN401 - pyvips has no types
    image.pngsave(str(path), compression=6)


def _gif(image: Any, path: Path) -> None:  # noqa: ANN401 - pyvips has no types
    """Let a window wander over the picture at half its size."""
    image = image.resize(0.5).copy_memory()
    width, height = min(FRAME_WIDTH, image.width // 2), min(FRAME_HEIGHT, image.height // 2)
    frames = [image.crop(n * width // 60, n * height // 60, width, height) for n in range(FRAMES)]
    strip = pyvips.Image.arrayjoin(frames, across=1).copy()
    strip.set_type(pyvips.GValue.gint_type, "page-height", height)
    strip.set_type(pyvips.GValue.array_int_type, "delay", [80] * FRAMES)
    strip.gifsave(str(path), effort=1)
