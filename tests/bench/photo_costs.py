"""`make bench ARGS="--only photos"`: one photo in igloo's child, by libvips alone, and by Pillow."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from bench.one_process import cpu_seconds, forget_peak, peak_bytes, resident_bytes
from bench.photo_files import tiny_of, write_all
from bench.rivals import RIVALS
from igloo_media.images import Renderer
from igloo_media.images.limits import ChildLimits

FOLDER: Final = Path("report/bench")
ROUNDS, QUICK_ROUNDS = 7, 2
IGLOO, FLOOR = "igloo", "libvips alone"
GOAL: Final = 1.25


@dataclass(kw_only=True)
class Maker:
    """A fresh child process that makes renditions of the photos that it is asked for."""

    make: Callable[[Path, Path], int]
    """Returns the id of the process that did it."""
    start_ms: float = 0.0
    cpu_ms: list[float] = field(default_factory=list)
    idle_bytes: int = 0
    peak_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one photo costs one maker."""

    photo: str
    file_bytes: int
    maker: str
    cpu_ms: float
    start_ms: float
    idle_bytes: int
    peak_bytes: int
    written_bytes: int


def measure_photos(*, quick: bool) -> None:
    """Measure each photo with each maker in turns, and write the table."""
    costs: list[Cost] = []
    with tempfile.TemporaryDirectory(prefix="igloo-bench-") as scratch:
        for name, source in write_all(Path(scratch)).items():
            print(f"  {name}, {source.stat().st_size / 1e6:.1f} MB", flush=True)
            costs += _costs(name, source, rounds=QUICK_ROUNDS if quick else ROUNDS)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "photos.json").write_text(json.dumps([asdict(cost) for cost in costs], indent=1) + "\n")
    table = as_markdown(costs)
    (FOLDER / "photos.md").write_text(table)
    print(table)


def as_markdown(costs: list[Cost]) -> str:
    """Return the table, a row a photo and maker."""
    floors = {cost.photo: cost.cpu_ms for cost in costs if cost.maker == FLOOR}
    rows = [
        f"| photo | MB | maker | CPU-ms | to libvips alone (goal: ≤ {GOAL}) | peak MB | over idle MB "
        "| renditions KB |",
        "|---|---:|---|" + "---:|" * 5,
    ]
    for cost in costs:
        rows.append(
            f"| {cost.photo} | {cost.file_bytes / 1e6:.1f} | {cost.maker} | {cost.cpu_ms:.1f} | "
            f"{cost.cpu_ms / floors[cost.photo]:.2f} | {cost.peak_bytes / 1e6:.0f} | "
            f"{(cost.peak_bytes - cost.idle_bytes) / 1e6:.0f} | {cost.written_bytes / 1000:.0f} |"
        )
    starts = {cost.maker: [each.start_ms for each in costs if each.maker == cost.maker] for cost in costs}
    notes = [
        f"- {maker}: {median(spent):.0f} CPU-ms to start a child and make the first tiny photo of a format"
        for maker, spent in starts.items()
    ]
    return "\n".join([*rows, "", *notes, ""])


def _costs(name: str, source: Path, *, rounds: int) -> Iterator[Cost]:
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="igloo-bench-") as scratch:
        folders = {maker: Path(scratch, maker.split()[0]) for maker in (IGLOO, *RIVALS)}
        makers = {IGLOO: stack.enter_context(_igloo())}
        makers |= {rival: stack.enter_context(_rival(rival)) for rival in RIVALS}
        for maker, folder in folders.items():
            folder.mkdir()
            _warm(makers[maker], source, folder)
        for _ in range(rounds):
            for maker, folder in folders.items():
                _measure(makers[maker], source, folder)
        for maker, folder in folders.items():
            yield _cost(name, source, maker, makers[maker], folder)


def _warm(maker: Maker, source: Path, folder: Path) -> None:
    """Have the child load what the format needs; then it is idle."""
    pid = maker.make(tiny_of(source), folder)
    maker.start_ms = cpu_seconds(pid) * 1000
    maker.idle_bytes = resident_bytes(pid)
    forget_peak(pid)


def _measure(maker: Maker, source: Path, folder: Path) -> None:
    pid = maker.make(tiny_of(source), folder)
    before = cpu_seconds(pid)
    maker.make(source, folder)
    maker.cpu_ms.append((cpu_seconds(pid) - before) * 1000)
    # The first photo of a fresh child counts: what the allocator keeps after it is no need of the next one.
    maker.peak_bytes = maker.peak_bytes or peak_bytes(pid)


def _cost(name: str, source: Path, maker_name: str, maker: Maker, folder: Path) -> Cost:
    return Cost(
        photo=name,
        file_bytes=source.stat().st_size,
        maker=maker_name,
        cpu_ms=median(maker.cpu_ms),
        start_ms=maker.start_ms,
        idle_bytes=maker.idle_bytes,
        peak_bytes=maker.peak_bytes,
        written_bytes=sum(path.stat().st_size for path in folder.glob("*.webp")),
    )


@contextmanager
def _igloo() -> Iterator[Maker]:
    """Start the child that the worker starts, with one thread as in production."""
    renderer = Renderer(ChildLimits())

    def make(source: Path, folder: Path) -> int:
        renderer.render(source, folder)
        return renderer.child_id or 0

    try:
        yield Maker(make=make)
    finally:
        renderer.close()


@contextmanager
def _rival(name: str) -> Iterator[Maker]:
    """Start another maker under the same conditions."""
    environment = {
        "PYTHONPATH": ":".join(part for part in sys.path if part),
        "VIPS_CONCURRENCY": "1",
        "MALLOC_ARENA_MAX": "2",
    }
    child = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "bench.rivals", name],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def make(source: Path, folder: Path) -> int:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps({"source": str(source), "folder": str(folder)}) + "\n")
        child.stdin.flush()
        if child.stdout.readline() != "done\n":
            message = f"{name} could not make {source.name}"
            raise RuntimeError(message)
        return child.pid

    try:
        yield Maker(make=make)
    finally:
        child.kill()
        child.communicate()
