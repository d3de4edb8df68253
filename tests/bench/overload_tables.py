"""What the overload bench says of what it measured: a table of phases, of memory, and of what held."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from bench.open_loop import Sent

SLOWEST_TIMES_UNLOADED: Final = 3.0
RECOVERY_SECONDS: Final = 10.0
_WINDOW_SECONDS: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One load, what became of it, and the generator's CPU."""

    name: str
    seconds: float
    sent: Sequence[Sent]
    generator_cpu_seconds: float

    @cached_property
    def accepted(self) -> list[Sent]:
        """The requests that were served."""
        return [each for each in self.sent if 200 <= each.status < 300]

    @cached_property
    def shed(self) -> list[Sent]:
        """The requests that were turned away as they should be."""
        return [
            each for each in self.sent if (each.status, each.code) == (503, "overloaded") and each.retry_after
        ]

    @property
    def others(self) -> Mapping[str, int]:
        """How often anything else came, by status and code: there should be nothing."""
        fine = {id(each) for each in (*self.accepted, *self.shed)}
        return Counter(f"{each.status} {each.code}".strip() for each in self.sent if id(each) not in fine)

    @property
    def late_ms(self) -> float:
        """How late the generator sent its requests, at the 99th percentile: no fault of the server."""
        return percentile([each.sent - each.due for each in self.sent], 0.99) * 1000


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What was looked at once: resident bytes by process, and events on their way."""

    at: float
    resident_bytes: Mapping[str, int]
    unfinished_events: int


@dataclass(frozen=True, kw_only=True)
class Overload:
    """A whole run; `ended` is when the overload was over, on the samples' clock."""

    unloaded: Phase
    capacity: Phase
    half: Phase
    overload: Phase
    after: Phase
    samples: Sequence[Sample]
    begun: float
    ended: float

    @property
    def capacity_per_second(self) -> float:
        """Requests served a second when as many come as have a place."""
        return len(self.capacity.accepted) / self.capacity.seconds

    @property
    def slowdown(self) -> float:
        """How much longer the slowest hundredth of what was accepted took than unloaded."""
        return latency_ms(self.overload.accepted, 0.99) / latency_ms(self.unloaded.accepted, 0.99)

    @property
    def requests_normal_after(self) -> float:
        """Seconds after the overload since when all is served, half of it as fast as nearly all was."""
        bound = latency_ms(self.unloaded.accepted, 0.99)
        windows = Counter[int]()
        for window in range(int(self.after.seconds / _WINDOW_SECONDS)):
            begun = window * _WINDOW_SECONDS
            sent = [each for each in self.after.sent if begun <= each.due < begun + _WINDOW_SECONDS]
            good = [each for each in sent if each in self.after.accepted]
            if len(good) < len(sent) or latency_ms(good, 0.5) > bound:
                windows[window] += 1
        return (max(windows) + 1) * _WINDOW_SECONDS if windows else 0.0

    @property
    def events_normal_after(self) -> float:
        """Seconds after the overload until no more events were on their way than had been before it."""
        usual = max(sample.unfinished_events for sample in self.samples if sample.at < self.begun)
        busy = [sample.at for sample in self.samples if sample.unfinished_events > usual]
        return max(0.0, max(busy, default=0.0) - self.ended)

    @property
    def most_unfinished_events(self) -> int:
        """The longest queue of events that was seen."""
        return max(sample.unfinished_events for sample in self.samples)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of the others lies; 0 of nothing."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))] if ranked else 0.0


def latency_ms(sent: Sequence[Sent], share: float) -> float:
    """Return the percentile of the time from when a request was due until its answer was there."""
    return percentile([each.done - each.due for each in sent], share) * 1000


def as_markdown(run: Overload) -> str:
    """Return the tables and what they come to."""
    phases = (run.unloaded, run.capacity, run.half, run.overload, run.after)
    head = (
        "| load | sent/s | accepted/s | shed | other | p50 ms | p99 ms | shed p50 ms | shed p99 ms"
        " | sent late p99 ms | generator's cores |"
    )
    return "\n".join(
        [head, "|---|" + "---:|" * 10, *map(_phase_row, phases), "", *_memory(run), "", *_sentences(run), ""]
    )


def _phase_row(phase: Phase) -> str:
    figures = (
        f"{len(phase.sent) / phase.seconds:.0f}",
        f"{len(phase.accepted) / phase.seconds:.0f}",
        str(len(phase.shed)),
        ", ".join(f"{count} times {what}" for what, count in phase.others.items()) or "0",
        *(f"{latency_ms(phase.accepted, share):.1f}" for share in (0.5, 0.99)),
        *(f"{latency_ms(phase.shed, share):.1f}" if phase.shed else "-" for share in (0.5, 0.99)),
        f"{phase.late_ms:.1f}",
        f"{phase.generator_cpu_seconds / phase.seconds:.2f}",
    )
    return f"| {phase.name} | " + " | ".join(figures) + " |"


def _memory(run: Overload) -> list[str]:
    before = [sample for sample in run.samples if sample.at < run.begun]
    during = [sample for sample in run.samples if run.begun <= sample.at < run.ended]
    after = [sample for sample in run.samples if sample.at >= run.ended]
    rows = [
        f"| {name} | "
        + " | ".join(f"{_most(samples, name) / 1e6:.0f}" for samples in (before, during, after[-3:]))
        + " |"
        for name in run.samples[-1].resident_bytes
    ]
    head = "| process, with its children | resident MB before, at most | during, at most | at the end |"
    return [head, "|---|---:|---:|---:|", *rows]


def _most(samples: Sequence[Sample], name: str) -> int:
    return max((sample.resident_bytes.get(name, 0) for sample in samples), default=0)


def _sentences(run: Overload) -> list[str]:
    times = len(run.overload.sent) / run.overload.seconds / run.capacity_per_second
    return [
        f"- capacity: {run.capacity_per_second:.0f} requests/s; the overload was {times:.1f} times that",
        f"- p99 of what was accepted: {run.slowdown:.2f} times the unloaded"
        f" (at most {SLOWEST_TIMES_UNLOADED:.0f})",
        f"- requests normal {run.requests_normal_after:.0f} s after the overload, events"
        f" {run.events_normal_after:.1f} s after it (at most {RECOVERY_SECONDS:.0f})",
        f"- events on their way, at most: {run.most_unfinished_events}",
    ]
