"""Writes what a bench run measured: JSON for programs, a Markdown table for people."""

import json
import platform
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Line:
    """One measured line; CPU is milliseconds a request, summed over every server-side process."""

    work: str
    requests: int
    cpu_ms: float
    floor_ms: float | None = None
    target_ms: float | None = None
    per_second: float | None = None
    median_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole run."""

    lines: tuple[Line, ...]
    notes: dict[str, float]

    def write(self, folder: Path) -> None:
        """Write `bench.json` and `bench.md` into the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        machine = {"machine": platform.machine(), "python": platform.python_version()}
        kept = {**machine, "notes": self.notes, "lines": [asdict(line) for line in self.lines]}
        (folder / "bench.json").write_text(json.dumps(kept, indent=1) + "\n")
        (folder / "bench.md").write_text(self.as_markdown())

    def as_markdown(self) -> str:
        """Return the table, a row a line, then the notes."""
        head = "| work | requests | CPU-ms a request | floor | ratio | target | req/s | p50 ms | p99 ms |"
        rows = [head, "|---|" + "---:|" * 8, *(_row(line) for line in self.lines)]
        notes = [f"- {name}: {value:.4g}" for name, value in self.notes.items()]
        return "\n".join([*rows, "", *notes, ""])


def _row(line: Line) -> str:
    ratio = line.cpu_ms / line.floor_ms if line.floor_ms else None
    figures = (
        f"{line.cpu_ms:.3f}",
        _figure(line.floor_ms, ".3f"),
        _figure(ratio, ".2f"),
        _figure(line.target_ms, ".2f"),
        _figure(line.per_second, ".0f"),
        _figure(line.median_ms, ".2f"),
        _figure(line.p99_ms, ".2f"),
    )
    return f"| {line.work} | {line.requests} | " + " | ".join(figures) + " |"


def _figure(value: float | None, how: str) -> str:
    return "-" if value is None else format(value, how)
