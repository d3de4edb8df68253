"""How reads grow with the town: each one at 20,000 and at 1,000,000 posts, in stacks whose data are kept."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.growth_readers import settle_in
from bench.growth_reads import READS
from bench.meter import Meter
from bench.scenarios import Scenario, feed_deep_pages, get
from bench.town_database import build, connected, is_built
from bench.towns import LARGE, SMALL, Town
from igloo_local.console import Console
from igloo_local.stack import Stack

KEPT: Final = Path("report/bench-data")
REPORT: Final = Path("report/bench/growth.md")
GOAL: Final = 1.5
DEEP_PAGE: Final = 20

TOWNS: Final = {"small": SMALL, "large": LARGE}


def build_towns(towns: Sequence[Town]) -> None:
    """Build towns unless they are there."""
    for town in towns:
        with town_stack(town, broker="filesystem"):
            pass


def measure_growth(towns: Sequence[Town], *, requests: int, broker: str, only: Sequence[str]) -> None:
    """Measure each read whose name contains one of `only` in each town; of two, write the table of ratios."""
    costs = []
    for town in towns:
        with town_stack(town, broker=broker) as stack:
            costs.append(_measured(stack, town, requests=requests, only=only))
    if len(costs) == len(TOWNS):
        table = _table(*costs)
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        REPORT.write_text(table)
        print(table)


@contextmanager
def town_stack(town: Town, *, broker: str) -> Iterator[Stack]:
    """Start the stack that keeps a town, and build the town unless it is there."""
    folder = KEPT / f"{town.posts}-posts"
    folder.mkdir(parents=True, exist_ok=True)
    with Stack(folder, broker=broker, console=Console(quiet=True)) as stack:
        with connected(stack.addresses.databases["superuser"]) as connection:
            if not is_built(connection, town):
                print(f"Building the town of {town.posts:,} posts.", flush=True)
                build(connection, town, say=lambda line: print(f"  {line}", flush=True))
        yield stack


def _measured(stack: Stack, town: Town, *, requests: int, only: Sequence[str]) -> Mapping[str, float]:
    print(f"{town.posts:,} posts, {town.people:,} people:", flush=True)
    meter = Meter(stack)
    readers = settle_in(meter, town)
    for read in READS:
        if any(word in read.name for word in only):
            asked = itertools.islice(read.asked(readers, town), requests)
            meter.measure(Scenario(work=read.name, requests=[get(phone, path) for phone, path in asked]))
    if any(word in "home feed, page" for word in only):
        meter.measure(feed_deep_pages(readers.reader, DEEP_PAGE, requests))
    return {line.work: line.cpu_ms for line in meter.lines}


def _table(small: Mapping[str, float], large: Mapping[str, float]) -> str:
    """Write a row a read, and whether it keeps to the goal."""
    head = f"| read | CPU-ms at {SMALL.posts:,} posts | at {LARGE.posts:,} | ratio (goal: ≤ {GOAL}) |"
    rows = [
        f"| {name} | {cost:.3f} | {large[name]:.3f} | {large[name] / cost:.2f}"
        f"{'' if large[name] <= GOAL * cost else ' ✗'} |"
        for name, cost in small.items()
    ]
    return "\n".join([head, "|---|---:|---:|---:|", *rows, ""])
