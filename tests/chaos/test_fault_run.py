"""A short fault run on the whole stack: RabbitMQ, two processes of each kind, sixteen people at work."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.fault_run import Run, run
from chaos.town import Town

pytestmark = pytest.mark.e2e

FAULTS = 12


def test_nothing_that_was_acknowledged_is_lost_while_one_thing_after_another_breaks(tmp_path: Path) -> None:
    with Town(tmp_path) as town:
        report = run(town, Run(seed=6, faults=FAULTS, short_holds=True, think_seconds=0.6))

    assert report.violations == []
    assert len(report.faults) >= FAULTS
    assert len(report.by_kind()) == len(report.faults)
    assert report.operations["post acknowledged"] > 0
    assert report.drained_after_seconds is not None
