"""The figures of a run, added up over mutants and over workers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

SLOWEST = 5
MEGA = 1_000_000


@dataclass(kw_only=True)
class Tally:
    """What came of all files so far."""

    outcomes: Counter[str] = field(default_factory=Counter)
    """By `format outcome`."""
    deaths: Counter[str] = field(default_factory=Counter)
    """By `format cause`."""
    violations: list[str] = field(default_factory=list)
    slowest: list[tuple[float, int, str]] = field(default_factory=list)
    """Seconds, number and name."""
    parent_peak_bytes: int = 0
    child_peak_bytes: int = 0

    @property
    def count(self) -> int:
        """How many files there were."""
        return self.outcomes.total()

    def note_time(self, seconds: float, number: int, name: str) -> None:
        """Keep the slowest."""
        self.slowest = sorted([*self.slowest, (round(seconds, 3), number, name)], reverse=True)[:SLOWEST]

    def add(self, other: Tally) -> None:
        """Add another worker's figures."""
        self.outcomes += other.outcomes
        self.deaths += other.deaths
        self.violations += other.violations
        self.slowest = sorted([*self.slowest, *other.slowest], reverse=True)[:SLOWEST]
        self.parent_peak_bytes = max(self.parent_peak_bytes, other.parent_peak_bytes)
        self.child_peak_bytes = max(self.child_peak_bytes, other.child_peak_bytes)

    def as_document(self) -> dict[str, Any]:
        """Return it as what JSON can carry."""
        return {**vars(self), "count": self.count}

    def as_table(self) -> str:
        """Return a table of outcomes by format, and what there is to say besides."""
        kinds = sorted({key.split(" ", 1)[0] for key in self.outcomes})
        names = sorted({key.split(" ", 1)[1] for key in self.outcomes})
        lines = ["outcome".ljust(22) + "".join(kind.rjust(8) for kind in (*kinds, "all"))]
        for name in names:
            counts = [self.outcomes[f"{kind} {name}"] for kind in kinds]
            lines.append(name.ljust(22) + "".join(str(count).rjust(8) for count in (*counts, sum(counts))))
        lines += [f"child ended: {cause}: {count}" for cause, count in sorted(self.deaths.items())]
        lines += [f"slow: {seconds} s, number {number}, of {name}" for seconds, number, name in self.slowest]
        parent, child = self.parent_peak_bytes // MEGA, self.child_peak_bytes // MEGA
        lines.append(f"peak memory: parent {parent} MB resident, child {child} MB mapped")
        return "\n".join([*lines, *(f"VIOLATION: {each}" for each in self.violations)])
