"""Media's worker, with a stopwatch on each part of its way with a photo."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from bench.one_process import cpu_seconds
from igloo_media import worker
from igloo_media.images import Renderer
from igloo_media.jobs import processing
from igloo_media.storage import Storage

RENDER: Final = "decode and render"
# What is called for a part, by the place where the lane looks it up.
PARTS: Final[tuple[tuple[str, Any, str], ...]] = (
    ("claim", processing, "claim_next"),
    ("download", Storage, "download"),
    (RENDER, Renderer, "render"),
    ("upload", Storage, "upload"),
    ("commit", processing, "keep_photo"),
)


@dataclass(frozen=True, kw_only=True)
class Took:
    """One part of one photo."""

    part: str
    seconds: float
    cpu_seconds: float


def timed(part: str, inner: Callable[..., Any], record: Path) -> Callable[..., Any]:
    """Return the function with a line of record for each call that did something."""

    def measured(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the function takes and returns
        before, cpu_before = time.monotonic(), time.thread_time()
        child = given[0].child_id if part == RENDER else None
        child_before = cpu_seconds(child) if child else 0.0
        result = inner(*given, **named)
        spent = time.thread_time() - cpu_before
        if part == RENDER:
            spent += cpu_seconds(given[0].child_id) - child_before
        if part != "claim" or result is not None:
            took = Took(part=part, seconds=time.monotonic() - before, cpu_seconds=spent)
            with record.open("a") as file:
                file.write(json.dumps(asdict(took)) + "\n")
        return result

    return measured


def read_record(record: Path) -> list[Took]:
    """Return what has been measured so far."""
    lines = record.read_text().splitlines() if record.exists() else []
    return [Took(**json.loads(line)) for line in lines]


def main() -> int:
    """Run the worker as `python -m igloo_media.worker` does."""
    record = Path(sys.argv[1])
    for part, owner, name in PARTS:
        setattr(owner, name, timed(part, getattr(owner, name), record))
    return worker.main()


if __name__ == "__main__":
    sys.exit(main())
