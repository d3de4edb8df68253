"""What may come of a mutant, and what must not."""

from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from igloo_media.images import ImageRejected, Photo, ProcessingCrashed, ProcessingTimeout, Renderer
from igloo_media.images.limits import ChildLimits
from media.corpus.case import REFUSALS
from media.corpus.leaks import leaks_in

SIDES = {"thumb": 320, "feed": 1080, "full": 2048}
FILES = {"original", *(f"{name}.webp" for name in SIDES)}
# Python and libvips map a little more than they were allowed before the limit was set.
ALLOWED_OVER_LIMIT = 1.02


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of one file."""

    outcome: str
    death: str = ""
    violations: tuple[str, ...] = ()


def verdict_on(renderer: Renderer, folder: Path, *, limits: ChildLimits) -> Verdict:
    """Render the file named `original` in the folder, and look at all that came of it."""
    try:
        photo = renderer.render(folder / "original", folder)
    except ImageRejected as rejected:
        known = () if rejected.code in REFUSALS and str(rejected) else (f"unknown code {rejected.code}",)
        return Verdict(outcome=rejected.code, violations=(*known, *_left_over(renderer, folder, limits)))
    except (ProcessingCrashed, ProcessingTimeout) as death:
        return Verdict(
            outcome=death.code, death=_cause(death), violations=_left_over(renderer, folder, limits)
        )
    found = [*_wrong_with(photo), *_left_over(renderer, folder, limits)]
    return Verdict(outcome="ready", violations=tuple(found))


def child_peak_bytes(renderer: Renderer) -> int:
    """Return the largest address space that the child ever had."""
    return 0 if renderer.child_id is None else _said_of(renderer.child_id, "VmPeak")


def parent_peak_bytes() -> int:
    """Return the most memory that this process ever held; getrusage would add what its own parent did."""
    return _said_of(os.getpid(), "VmHWM")


def _said_of(pid: int, name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0


def _wrong_with(photo: Photo) -> list[str]:
    found = [] if {each.name for each in photo.renditions} == set(SIDES) else ["renditions are missing"]
    for each in photo.renditions:
        data = each.path.read_bytes()
        found += [f"{each.name}: {leak}" for leak in leaks_in(data)]
        with Image.open(io.BytesIO(data)) as image:
            if image.size != (each.width, each.height) or max(image.size) > SIDES[each.name]:
                found.append(f"{each.name} is {image.size}, not {each.width, each.height}")
            image.load()
    return found


def _left_over(renderer: Renderer, folder: Path, limits: ChildLimits) -> tuple[str, ...]:
    found = [f"left over: {path.name}" for path in folder.iterdir() if path.name not in FILES]
    if child_peak_bytes(renderer) > limits.memory_bytes * ALLOWED_OVER_LIMIT:
        found.append("the child had more memory than it may have")
    return tuple(found)


def _cause(death: ProcessingCrashed | ProcessingTimeout) -> str:
    """Return the signal or the exception that ended the child."""
    words = str(death)
    status = re.search(r"ended with status (-?\d+)", words)
    if status is None:
        return "time"
    return f"signal {-int(status[1])}" if int(status[1]) < 0 else words.splitlines()[-1][:80]
