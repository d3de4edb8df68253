"""Writes how batches of photos went as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Final

from bench.timed_worker import PARTS, Took

WEB: Final = "media-web"


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """Seconds from a photo's commit until its event was with the broker, and until social had applied it."""

    published: float
    applied: float


@dataclass(frozen=True, kw_only=True)
class Bytes:
    """What went where, counted by the kernel."""

    uploaded: int
    web_received: int
    web_sent: int
    web_read: int
    web_written: int
    s3_received: int


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One batch that was sent and is ready."""

    way: str
    photos: int
    steps: Mapping[str, float]
    worker: Sequence[Took]
    announcements: Sequence[Announcement]
    cpu_seconds: Mapping[str, float]
    bytes: Bytes

    @property
    def seconds(self) -> float:
        """From the tap until the phone has seen that all are ready."""
        return sum(self.steps.values())


def as_markdown(batches: Sequence[Batch]) -> str:
    """Return all tables."""
    return (
        "\n\n".join(
            [_steps(batches), _worker(batches), _processes(batches), _bytes(batches)],
        )
        + "\n"
    )


def _steps(batches: Sequence[Batch]) -> str:
    rows = ["| way | step | wall ms |", "|---|---|---:|"]
    for batch in batches:
        rows += [f"| {batch.way} | {step} | {seconds * 1000:.0f} |" for step, seconds in batch.steps.items()]
        rows.append(f"| {batch.way} | tap to ready, {batch.photos} photos | {batch.seconds * 1000:.0f} |")
    return "\n".join(rows)


def _worker(batches: Sequence[Batch]) -> str:
    rows = ["| way | part of the worker's way | wall ms a photo | CPU-ms a photo in Python and child |"]
    rows.append("|---|---|---:|---:|")
    for batch in batches:
        for part, _, _ in PARTS:
            took = [each for each in batch.worker if each.part == part]
            wall, cpu = sum(each.seconds for each in took), sum(each.cpu_seconds for each in took)
            each_ms = [seconds / batch.photos * 1000 for seconds in (wall, cpu)]
            rows.append(f"| {batch.way} | {part} | {each_ms[0]:.1f} | {each_ms[1]:.1f} |")
        for title, seconds in (
            ("announcement: from the commit to the broker", [each.published for each in batch.announcements]),
            ("announcement: from the commit to social", [each.applied for each in batch.announcements]),
        ):
            rows.append(f"| {batch.way} | {title} (median) | {median(seconds) * 1000:.0f} | - |")
    return "\n".join(rows)


def _processes(batches: Sequence[Batch]) -> str:
    """Return the CPU of each process, the busiest first."""
    head = "| process | " + " | ".join(f"CPU-ms a photo: {batch.way}" for batch in batches) + " |"
    rows = [head, "|---|" + "---:|" * len(batches)]
    names = {name: mean(batch.cpu_seconds[name] for batch in batches) for name in batches[0].cpu_seconds}
    for name in sorted(names, key=lambda each: -names[each]):
        rows.append(_cpu_row(name, [batch.cpu_seconds[name] / batch.photos for batch in batches]))
    rows.append(_cpu_row("all", [sum(batch.cpu_seconds.values()) / batch.photos for batch in batches]))
    return "\n".join(rows)


def _cpu_row(name: str, seconds: Sequence[float]) -> str:
    return f"| {name} | " + " | ".join(f"{each * 1000:.1f}" for each in seconds) + " |"


def _bytes(batches: Sequence[Batch]) -> str:
    kinds = {
        "the photos": "uploaded",
        f"{WEB} received over its connections": "web_received",
        f"{WEB} sent over its connections": "web_sent",
        f"{WEB} read() from files": "web_read",
        f"{WEB} write() into files": "web_written",
        "S3 received over its connections (photos, renditions and its own)": "s3_received",
    }
    rows = ["| bytes | " + " | ".join(batch.way for batch in batches) + " |"]
    rows.append("|---|" + "---:|" * len(batches))
    for title, name in kinds.items():
        figures = " | ".join(f"{getattr(batch.bytes, name):,}" for batch in batches)
        rows.append(f"| {title} | {figures} |")
    return "\n".join(rows)
