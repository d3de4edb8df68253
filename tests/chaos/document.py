"""`python -m chaos.document`: puts the kept result of a long fault run into docs/reliability.md."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median

from chaos.plots import draw_all
from chaos.report import Report
from igloo_local.source import ROOT

DOCUMENT = ROOT / "docs" / "reliability.md"
IMAGES = ROOT / "docs" / "images"
_BEGIN, _END = "<!-- the run: begin -->\n", "<!-- the run: end -->\n"
_PLOTS = {
    "requests": "Requests a second over the run; faults are grey",
    "backlog": "Events that wait, over the run",
    "recovery": "Seconds to recovery, a dot for each fault, by kind",
}


def main() -> int:
    """Write the document's section and its plots from `report/chaos/chaos.json`, or another file."""
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "report" / "chaos" / "chaos.json"
    report = Report.read(source)
    before, _, rest = DOCUMENT.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    DOCUMENT.write_text(before + _BEGIN + as_markdown(report) + _END + after)
    for name in _PLOTS:
        (IMAGES / f"reliability-{name}.svg").write_text(_on_white(draw_all(report)[name]) + "\n")
    print(f"wrote {DOCUMENT.relative_to(ROOT)} from a run of {len(report.faults)} faults")
    return 0


def as_markdown(report: Report) -> str:
    """Return the section: the figures, the plots, and a row for each kind of fault."""
    healed = report.recoveries()
    figures = [
        ("people, web and worker processes a service", f"{report.clients}, {report.replicas}"),
        ("minutes", f"{report.seconds / 60:.1f}"),
        ("operations, acknowledged", f"{sum(report.operations.values()):,}, {report.acknowledged:,}"),
        ("faults, kinds", f"{len(report.faults)}, {len(report.by_kind())}"),
        ("recovery: median, longest", f"{median(healed):.1f} s, {healed[-1]:.1f} s"),
        ("all events applied after the last fault", f"{report.drained_after_seconds or 0:.1f} s"),
        ("single facts checked", f"{sum(report.checked.values()):,}"),
        ("**violations**", f"**{len(report.violations)}**"),
    ]
    kinds = [
        f"| {row.kind} | {row.count} | {_figure(row.median_seconds)} | {_figure(row.longest_seconds)} |"
        for row in sorted(report.by_kind(), key=lambda row: row.kind)
    ]
    missing = [f"Not possible on that machine: {', '.join(report.impossible)}.", ""]
    lines = [
        f"Seed {report.seed}, {report.broker}:",
        "",
        "| | |",
        "|---|---:|",
        *(f"| {name} | {value} |" for name, value in figures),
        "",
        *(f"![{text}](images/reliability-{name}.svg)\n" for name, text in _PLOTS.items()),
        *(missing if report.impossible else []),
        "| kind of fault | injected | median s to recovery | longest |",
        "|---|---:|---:|---:|",
        *kinds,
        "",
    ]
    return "\n".join(lines)


def _figure(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f}"


def _on_white(svg: str) -> str:
    """Give a plot a ground of its own: a page in dark colours would swallow its letters."""
    head, _, rest = svg.partition(">")
    return f'{head}>\n <rect width="100%" height="100%" fill="#fff"/>{rest}'


if __name__ == "__main__":
    sys.exit(main())
