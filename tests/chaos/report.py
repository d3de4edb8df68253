"""What a fault run found: for programs as JSON, and summed up for people."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class FaultRow:
    """One fault as it went; `recovered_after_seconds` counts from its end, None when nothing healed."""

    kind: str
    target: str
    at_seconds: float
    held_seconds: float
    recovered_after_seconds: float | None
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One moment: requests that were and were not answered in the second before, and events that wait.

    The backlog is None while the database does not answer.
    """

    at_seconds: float
    acknowledged: int
    refused: int
    unanswered: int
    outbox_waiting: int | None
    inbox_waiting: int | None


@dataclass(frozen=True, kw_only=True)
class KindSummary:
    """All faults of one kind; times are in seconds, None when none of them healed."""

    kind: str
    count: int
    median_seconds: float | None
    longest_seconds: float | None


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole run."""

    seed: int
    broker: str
    clients: int
    replicas: int
    seconds: float
    drained_after_seconds: float | None
    operations: dict[str, int]
    faults: Sequence[FaultRow]
    violations: Sequence[dict[str, str]]
    troubles: dict[str, int] = field(default_factory=dict)
    """Sendings that brought neither success nor a refusal, by kind."""
    checked: dict[str, int] = field(default_factory=dict)
    impossible: Sequence[str] = field(default_factory=list)
    samples: Sequence[Sample] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote."""
        kept: dict[str, Any] = json.loads(path.read_text())
        kept.pop("summary")
        faults = [FaultRow(**row) for row in kept.pop("faults")]
        samples = [Sample(**row) for row in kept.pop("samples")]
        return cls(**kept, faults=faults, samples=samples)

    def write(self, path: Path) -> None:
        """Write the run and its summary."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"summary": self.summary(), **asdict(self)}, indent=1) + "\n")

    @property
    def acknowledged(self) -> int:
        """How many operations ended well."""
        return sum(count for name, count in self.operations.items() if name.endswith(" acknowledged"))

    def recoveries(self) -> list[float]:
        """Return the seconds that each healed fault took, sorted."""
        healed = (fault.recovered_after_seconds for fault in self.faults)
        return sorted(seconds for seconds in healed if seconds is not None)

    def by_kind(self) -> list[KindSummary]:
        """Sum the faults up by kind, the slowest to heal first."""
        groups: dict[str, list[FaultRow]] = defaultdict(list)
        for fault in self.faults:
            groups[fault.kind].append(fault)
        rows = [_summarised(kind, faults) for kind, faults in groups.items()]
        return sorted(rows, key=lambda row: (-(row.median_seconds or 0), row.kind))

    def summary(self) -> dict[str, Any]:
        """Return the figures that matter most."""
        healed = self.recoveries()
        return {
            "operations": sum(self.operations.values()),
            "acknowledged": self.acknowledged,
            "faults": len(self.faults),
            "kinds": len({fault.kind for fault in self.faults}),
            "recovery_seconds": {"p50": round(median(healed), 2), "max": healed[-1]} if healed else None,
            "violations": len(self.violations),
            "by_kind": [asdict(row) for row in self.by_kind()],
        }


def _summarised(kind: str, faults: Sequence[FaultRow]) -> KindSummary:
    healed = [fault.recovered_after_seconds for fault in faults if fault.recovered_after_seconds is not None]
    return KindSummary(
        kind=kind,
        count=len(faults),
        median_seconds=round(median(healed), 2) if healed else None,
        longest_seconds=max(healed, default=None),
    )
