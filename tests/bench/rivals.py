"""The same renditions made by others, libvips alone and Pillow, in a child that answers line by line."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pillow_heif
import pyvips
from PIL import Image, ImageOps, ImageSequence

from bench.sizes import MOVING_SIDES, SIDES, today, unencoded, write

Frame = Image.Image


def by_libvips(source: Path, folder: Path) -> None:
    """Decode once, make each size from the one above it, write them, and nothing else."""
    if source.suffix == ".gif":
        _moving_by_libvips(source, folder)
        return
    if source.suffix == ".heic":
        # libvips' own wheel has no HEVC: libheif decodes, as it does in igloo.
        photo = _decoded_heic(source)
    else:
        photo = pyvips.Image.thumbnail(
            str(source), SIDES["full"], height=SIDES["full"], size="down"
        ).copy_memory()
    for name, image in unencoded(photo).items():
        write(image, str(folder / f"{name}.webp"), name)


def by_pillow(source: Path, folder: Path) -> None:
    """Do it as Pillow's own documentation would: draft() for JPEG, thumbnail() with its reducing gap."""
    with Image.open(source) as opened:
        frames = getattr(opened, "n_frames", 1)
        if frames > 1:
            _moving_by_pillow(opened, folder)
            return
        opened.draft("RGB", (SIDES["full"], SIDES["full"]))
        photo = ImageOps.exif_transpose(opened).convert("RGB")
    photo.thumbnail((SIDES["full"], SIDES["full"]))
    _save(photo, folder, "full")
    photo.thumbnail((SIDES["feed"], SIDES["feed"]))
    _save(photo, folder, "feed")
    _save(ImageOps.fit(photo, (SIDES["thumb"], SIDES["thumb"])), folder, "thumb")


def _moving_by_libvips(source: Path, folder: Path) -> None:
    for name, side in MOVING_SIDES.items():
        image = pyvips.Image.thumbnail(f"{source}[n=-1]", side, height=side, size="down").copy_memory()
        write(image, str(folder / f"{name}.webp"), name)
    side = SIDES["thumb"]
    still = pyvips.Image.thumbnail(str(source), side, height=side, crop="centre")
    write(still, str(folder / "thumb.webp"), "thumb")


def _decoded_heic(source: Path) -> Any:  # noqa: ANN401 - pyvips has no types
    photo = pillow_heif.open_heif(source, convert_hdr_to_8bit=True)
    pixels = pyvips.Image.new_from_memory(photo.data, *photo.size, 3, "uchar").copy(interpretation="srgb")
    return pixels.thumbnail_image(SIDES["full"], height=SIDES["full"], size="down").copy_memory()


def _moving_by_pillow(opened: Frame, folder: Path) -> None:
    delays = [int(frame.info.get("duration", 100)) for frame in ImageSequence.Iterator(opened)]
    frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(opened)]
    for name, side in MOVING_SIDES.items():
        for frame in frames:
            frame.thumbnail((side, side))
        _save(frames[0], folder, name, save_all=True, append_images=frames[1:], duration=delays, loop=0)
    _save(ImageOps.fit(frames[0], (SIDES["thumb"], SIDES["thumb"])), folder, "thumb")


def _save(image: Frame, folder: Path, name: str, **options: Any) -> None:  # noqa: ANN401 - Pillow's own
    webp = today(name, is_moving="save_all" in options)
    image.save(folder / f"{name}.webp", quality=webp.quality, method=webp.effort, **options)


RIVALS: Final[dict[str, Callable[[Path, Path], None]]] = {"libvips alone": by_libvips, "Pillow": by_pillow}


def main() -> None:
    """Make the renditions of one photo a line, until there are no more lines."""
    make = RIVALS[sys.argv[1]]
    pyvips.cache_set_max(0)
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.register_heif_opener(thumbnails=False)
    for line in sys.stdin:
        asked = json.loads(line)
        make(Path(asked["source"]), Path(asked["folder"]))
        print("done", flush=True)


if __name__ == "__main__":
    main()
