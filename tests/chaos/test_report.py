"""The report of a fault run says what the run found, in numbers, in words and in pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from chaos.page import as_page
from chaos.plots import draw_all
from chaos.report import FaultRow, Report, Sample

KILL = FaultRow(
    kind="kill web", target="social-web-2", at_seconds=1.0, held_seconds=0.0, recovered_after_seconds=2.0
)
RUN = Report(
    seed=7,
    broker="rabbitmq",
    clients=16,
    replicas=2,
    seconds=60.0,
    drained_after_seconds=1.5,
    operations={"post acknowledged": 40, "post unanswered": 2, "like 404": 3},
    faults=[
        KILL,
        replace(KILL, at_seconds=9.0, recovered_after_seconds=5.0),
        replace(KILL, kind="disk full", target="postgres", held_seconds=3.0, recovered_after_seconds=11.0),
    ],
    violations=[],
    checked={"posts are there once": 40},
    samples=[
        Sample(at_seconds=1, acknowledged=9, refused=0, unanswered=1, outbox_waiting=4, inbox_waiting=0),
        Sample(
            at_seconds=2, acknowledged=7, refused=1, unanswered=0, outbox_waiting=None, inbox_waiting=None
        ),
    ],
)
BROKEN = {"promise": "posts are there once", "sentence": "post 1 of <b>puffin</b> is lost"}


def test_a_report_sums_up_operations_faults_and_recoveries() -> None:
    summary = RUN.summary()

    assert (summary["operations"], summary["acknowledged"]) == (45, 40)
    assert (summary["faults"], summary["kinds"], summary["violations"]) == (3, 2, 0)
    assert summary["recovery_seconds"] == {"p50": 5.0, "max": 11.0}
    assert [(row["kind"], row["count"], row["median_seconds"]) for row in summary["by_kind"]] == [
        ("disk full", 1, 11.0),
        ("kill web", 2, 3.5),
    ]


def test_a_fault_that_never_healed_counts_as_a_fault_and_not_as_a_recovery() -> None:
    run = replace(RUN, faults=[replace(KILL, recovered_after_seconds=None)])

    assert run.summary()["recovery_seconds"] is None
    assert run.by_kind()[0].count == 1
    assert "recovery never" in as_page(run)


def test_what_was_written_is_read_again_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "chaos" / "chaos.json"

    RUN.write(path)

    assert Report.read(path) == RUN
    assert json.loads(path.read_text())["summary"]["faults"] == len(RUN.faults)


def test_the_page_gives_the_verdict_first_and_escapes_what_it_quotes() -> None:
    kept, broken = as_page(RUN), as_page(replace(RUN, violations=[BROKEN]))

    assert "Every promise was kept" in kept
    assert "1 violations" in broken
    assert "&lt;b&gt;puffin" in broken
    assert "Every promise" not in broken


def test_the_same_run_draws_the_same_plots() -> None:
    plots = draw_all(RUN)

    assert plots == draw_all(RUN)
    assert all(plot.startswith("<svg") for plot in plots.values())
    assert {name for name, plot in plots.items() if "disk full" in plot} == {"recovery"}
    assert {name for name, plot in plots.items() if "like" in plot} == {"operations"}
