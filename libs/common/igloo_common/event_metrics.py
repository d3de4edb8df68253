"""What the event backbone counts."""

from __future__ import annotations

from prometheus_client import Counter

PUBLISHED = Counter("igloo_relay_published_total", "Events that the broker has confirmed.")
REFUSED = Counter("igloo_relay_refused_total", "Events that the broker did not keep, by its answer.", ["how"])
RECEIVED = Counter("igloo_inbox_received_total", "Messages received, by what became of them.", ["outcome"])
APPLIED = Counter("igloo_inbox_applied_total", "Events applied, by type and outcome.", ["type", "outcome"])
JOB_RUNS = Counter("igloo_job_runs_total", "Runs of periodic jobs, by outcome.", ["job", "outcome"])
LOOP_FAILURES = Counter("igloo_worker_loop_failures_total", "Steps of worker threads that failed.", ["loop"])
