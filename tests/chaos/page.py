"""The report of a fault run as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from statistics import median

from chaos.plots import draw_all
from chaos.report import KindSummary, Report

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b2733 }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2rem }
svg { width: 100%; height: auto }
table { border-collapse: collapse; width: 100% }
th, td { padding: .2rem .6rem; border-bottom: 1px solid #dde3ea }
th { text-align: left } td.figure, th.figure { text-align: right; font-variant-numeric: tabular-nums }
.kept { color: #1e7a45 } .broken { color: #b3261e }
"""


def as_page(report: Report) -> str:
    """Return the page: what was promised, what was done to it, how long it took to heal."""
    plots = draw_all(report)
    body = "\n".join(
        [
            "<h1>igloo under faults</h1>",
            _verdict(report),
            f"<p>{_what_ran(report)}</p>",
            "<h2>Requests</h2>",
            plots["requests"],
            "<h2>Events on their way</h2>",
            plots["backlog"],
            "<h2>Recovery</h2>",
            plots["recovery"],
            _kinds_table(report),
            "<h2>Operations</h2>",
            plots["operations"],
            "<h2>What was checked</h2>",
            _counts(("facts", "number"), report.checked),
            "<h2>Sendings without success or refusal</h2>",
            _counts(("kind", "number"), report.troubles),
        ]
    )
    head = f'<meta charset="utf-8"><title>igloo under faults</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def _verdict(report: Report) -> str:
    if not report.violations:
        return '<p class="kept"><strong>Every promise was kept.</strong></p>'
    rows = [(found["promise"], found["sentence"]) for found in report.violations]
    return f'<p class="broken"><strong>{len(rows)} violations</strong></p>' + _table(
        ("promise", "found"), rows
    )


def _what_ran(report: Report) -> str:
    healed = report.recoveries()
    recovery = f"{median(healed):.1f} s (median), {healed[-1]:.1f} s (longest)" if healed else "never"
    parts = [
        f"Seed {report.seed}, {report.broker}, {report.replicas} web and worker processes a service",
        f"{report.clients} people, {report.seconds / 60:.1f} minutes",
        f"{sum(report.operations.values()):,} operations, {report.acknowledged:,} acknowledged",
        f"{len(report.faults)} faults of {len(report.by_kind())} kinds",
        f"recovery {recovery}",
    ]
    missing = f" Not possible on this machine: {', '.join(report.impossible)}." if report.impossible else ""
    return escape("; ".join(parts) + "." + missing)


def _counts(head: tuple[str, ...], counts: Mapping[str, int]) -> str:
    return _table(head, [(name, f"{count:,}") for name, count in sorted(counts.items())])


def _kinds_table(report: Report) -> str:
    rows = [
        (row.kind, str(row.count), _seconds(row.median_seconds), _seconds(row.longest_seconds))
        for row in sorted(report.by_kind(), key=_by_name)
    ]
    return _table(("kind of fault", "injected", "median s", "longest s"), rows)


def _by_name(row: KindSummary) -> str:
    return row.kind


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    def cell(tag: str, number: int, text: str) -> str:
        figure = ' class="figure"' if number and text[:1] in "-0123456789" else ""
        return f"<{tag}{figure}>{escape(text)}</{tag}>"

    lines = [
        "".join(cell("th" if not line else "td", number, text) for number, text in enumerate(row))
        for line, row in enumerate([head, *rows])
    ]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"
