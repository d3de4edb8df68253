"""Shows what waits and for how long: tasks about accounts, and reports that nobody has decided about."""

from __future__ import annotations

from typing import Final

from prometheus_client import Gauge

from igloo_common.database import reading
from igloo_social.models.account_tasks import TaskKind
from igloo_social.queries.account_tasks import waiting_tasks
from igloo_social.queries.moderation import open_reports

WAITING: Final = Gauge("igloo_account_tasks_waiting", "Tasks about accounts that are not finished.", ["kind"])
OLDEST: Final = Gauge("igloo_account_tasks_oldest_seconds", "Age of the oldest of these tasks.", ["kind"])
REPORTS_OPEN: Final = Gauge("igloo_reports_open", "Reports that nobody has decided about.")
REPORTS_OLDEST: Final = Gauge("igloo_reports_oldest_seconds", "Age of the oldest of these reports.")


def measure_backlog() -> bool:
    """Measure what waits; False, as the next look has time."""
    with reading() as reader:
        found = {row.kind: row for row in waiting_tasks(reader)}
        reports = open_reports(reader)
    REPORTS_OPEN.set(reports.open)
    REPORTS_OLDEST.set(reports.oldest_seconds)
    for kind in TaskKind:
        row = found.get(kind.value)
        WAITING.labels(kind.value).set(row.waiting if row else 0)
        OLDEST.labels(kind.value).set(row.oldest_seconds if row else 0)
    return False
