"""The plots of a fault run, as SVG."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import mean
from typing import TYPE_CHECKING, Any

from chaos.report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The same run draws the same file, and text stays text: small, searchable and legible in both themes.
_STYLE: Any = {"svg.hashsalt": "igloo", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False}
_WIDE = (9.0, 3.2)
_POINTS = 300
_BLUE, _RED, _GREY, _AMBER = "#2f6db5", "#c0392b", "#9aa3ad", "#d9902f"


def draw_all(report: Report) -> Mapping[str, str]:
    """Return each plot's SVG by its name."""
    return {
        "requests": _drawn(lambda axes: _requests(axes, report)),
        "backlog": _drawn(lambda axes: _backlog(axes, report)),
        "recovery": _drawn(lambda axes: _recovery(axes, report), height=0.28 * len(report.by_kind()) + 1.2),
        "operations": _drawn(lambda axes: _operations(axes, report), height=4.2),
    }


def _drawn(draw: Callable[[Axes], None], *, height: float = _WIDE[1]) -> str:
    # A second of every test worker's start, paid only by who draws.
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDE[0], height), layout="constrained")
        draw(figure.subplots())
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    # The XML declaration and the document type have no place inside a page.
    return out.getvalue()[out.getvalue().index("<svg") :]


def _requests(axes: Axes, report: Report) -> None:
    """Draw requests a second, with the faults behind them."""
    times = _thinned([sample.at_seconds for sample in report.samples])
    _shade_faults(axes, report)
    for label, color, counts in (
        ("acknowledged", _BLUE, [sample.acknowledged for sample in report.samples]),
        ("without an answer", _RED, [sample.unanswered for sample in report.samples]),
    ):
        axes.plot(times, _thinned(counts), color=color, lw=0.9, label=label)
    axes.set(xlabel="seconds", ylabel="requests a second", title="Requests while faults are on (grey)")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper right", frameon=False)


def _thinned(values: Sequence[float]) -> list[float]:
    """Average neighbours, so that a long run has no more points than a plot can show."""
    width = max(1, -(-len(values) // _POINTS))
    return [mean(values[start : start + width]) for start in range(0, len(values), width)]


def _backlog(axes: Axes, report: Report) -> None:
    """Draw the events that wait; symmetric logarithm, because they are none nearly always."""
    known = [sample for sample in report.samples if sample.outbox_waiting is not None]
    times = [sample.at_seconds for sample in known]
    _shade_faults(axes, report)
    axes.plot(times, [s.outbox_waiting or 0 for s in known], color=_BLUE, lw=0.9, label="outbox")
    axes.plot(times, [s.inbox_waiting or 0 for s in known], color=_AMBER, lw=0.9, label="inbox")
    axes.set_yscale("symlog", linthresh=10)
    axes.set(xlabel="seconds", ylabel="events", title="Events that wait, all services")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper right", frameon=False)


def _shade_faults(axes: Axes, report: Report) -> None:
    for fault in report.faults:
        healed = fault.at_seconds + fault.held_seconds + (fault.recovered_after_seconds or 0)
        axes.axvspan(fault.at_seconds, healed, color=_GREY, alpha=0.25, lw=0)


def _recovery(axes: Axes, report: Report) -> None:
    """Draw each fault's recovery as a dot in the row of its kind."""
    kinds = [row.kind for row in reversed(report.by_kind())]
    place = {kind: number for number, kind in enumerate(kinds)}
    healed = [fault for fault in report.faults if fault.recovered_after_seconds is not None]
    axes.plot(
        [fault.recovered_after_seconds or 0 for fault in healed],
        [place[fault.kind] for fault in healed],
        "o",
        ms=4,
        alpha=0.55,
        color=_BLUE,
        mew=0,
    )
    axes.set_yticks(range(len(kinds)), kinds)
    axes.set(xlabel="seconds from the end of the fault until a new post was in a feed", xlim=(0, None))
    axes.grid(axis="x", lw=0.4, alpha=0.5)
    axes.set_title("Recovery by kind of fault")


def _operations(axes: Axes, report: Report) -> None:
    """Draw operations by how they ended."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for name, count in report.operations.items():
        operation, _, outcome = name.rpartition(" ")
        kind = outcome if outcome in {"acknowledged", "unanswered"} else "refused"
        counts[operation][kind] += count
    names = sorted(counts, key=lambda name: sum(counts[name].values()))
    left = [0] * len(names)
    for outcome, color in (("acknowledged", _BLUE), ("refused", _AMBER), ("unanswered", _RED)):
        widths = [counts[name][outcome] for name in names]
        axes.barh(names, widths, left=left, color=color, label=outcome)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.set(xlabel="operations", title="What people did, and how it ended")
    axes.legend(loc="lower right", frameon=False)
