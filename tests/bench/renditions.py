"""`make bench ARGS="--only renditions"`: which format, quality and effort suits each size of rendition."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.encoders import Encoder, decoded, encoders, webp_encoder
from bench.equal_likeness import Trial
from bench.pictures import PICTURES, as_jpeg
from bench.rendition_tables import as_markdown
from bench.sizes import EFFORT_TODAY, QUALITY_TODAY, decode_jpeg, unencoded
from bench.ssim import Original

FOLDER: Final = Path("report/bench")
# Small pictures are encoded in a moment: several times, for the moment to be measured.
ROUNDS: Final = {"thumb": 3, "feed": 1, "full": 1}


def measure_renditions(*, quick: bool) -> None:
    """Measure in a process whose libvips has one thread, as igloo's child has."""
    command = [sys.executable, "-m", "bench.renditions", *(["--quick"] if quick else [])]
    path = ":".join(part for part in sys.path if part)
    subprocess.run(command, check=True, env={"PYTHONPATH": path, "VIPS_CONCURRENCY": "1"})  # noqa: S603 - our own


def trials_of(picture: str, *, quick: bool) -> Iterator[Trial]:
    """Encode all sizes of one picture in all ways."""
    sizes = unencoded(decode_jpeg(as_jpeg(PICTURES[picture](1))))
    for size, image in sizes.items():
        original = Original(image)
        for encoder in encoders(quick=quick):
            for quality in _qualities(encoder, size, quick=quick):
                yield _trial(encoder, image, original, picture=picture, size=size, quality=quality)
        if QUALITY_TODAY[size] not in _qualities(
            today := webp_encoder(EFFORT_TODAY[size]), size, quick=quick
        ):
            yield _trial(today, image, original, picture=picture, size=size, quality=QUALITY_TODAY[size])


def _qualities(encoder: Encoder, size: str, *, quick: bool) -> Sequence[int]:
    """Leave the lowest out where each trial takes long, and looks worse than anything that is compared."""
    is_dear = size == "full" and encoder.format_name != "JPEG"
    return encoder.qualities[1:] if is_dear or quick else encoder.qualities


def _trial(
    encoder: Encoder,
    image: Any,  # noqa: ANN401 - pyvips has no types
    original: Original,
    *,
    picture: str,
    size: str,
    quality: int,
) -> Trial:
    spent = []
    encoded = b""
    for _ in range(ROUNDS[size]):
        before = time.process_time()
        encoded = encoder.write(image, quality)
        spent.append(time.process_time() - before)
    return Trial(
        picture=picture,
        size=size,
        encoder=encoder.name,
        quality=quality,
        size_bytes=len(encoded),
        cpu_ms=median(spent) * 1000,
        ssim=original.ssim(decoded(encoded)),
    )


def main() -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    trials: list[Trial] = []
    for picture in PICTURES:
        print(f"  {picture}", flush=True)
        trials += trials_of(picture, quick=quick)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "renditions.json").write_text(json.dumps([asdict(trial) for trial in trials], indent=1) + "\n")
    tables = as_markdown(trials)
    (FOLDER / "renditions.md").write_text(tables)
    print(tables)


if __name__ == "__main__":
    main()
