"""A short fault run on the whole stack: RabbitMQ, two processes of each kind, sixteen people at work."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.fault_run import Run, run
from chaos.town import Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

# One of each family, and those that lose something where a promise is not kept; each comes once.
KINDS = (
    "kill-relay",
    "kill-web",
    "kill-postgres",
    "kill-rabbitmq",
    "link-half-open",
    "link-blackhole",
    "duplicate-deliveries",
    "reorder-deliveries",
    "database-disk-full",
    "clock-jump",
)


def test_nothing_that_was_acknowledged_is_lost_while_one_thing_after_another_breaks(tmp_path: Path) -> None:
    with Town(tmp_path) as town:
        plan = Run(seed=6, faults=len(KINDS), minutes=2, short_holds=True, think_seconds=0.6, only=KINDS)
        report = run(town, plan)

    assert report.violations == []
    assert all(fault.kind.startswith(KINDS) for fault in report.faults)
    assert len(report.faults) >= len(KINDS) // 2
    assert report.operations["post acknowledged"] > 0
    assert report.drained_after_seconds is not None
