"""What the event backbone counts."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_LAG_BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)

PUBLISHED = Counter("igloo_relay_published_total", "Events that the broker has confirmed.")
REFUSED = Counter("igloo_relay_refused_total", "Events that the broker did not keep, by its answer.", ["how"])
RECEIVED = Counter("igloo_inbox_received_total", "Messages received, by what became of them.", ["outcome"])
APPLIED = Counter("igloo_inbox_applied_total", "Events applied, by type and outcome.", ["type", "outcome"])
JOB_RUNS = Counter("igloo_job_runs_total", "Runs of periodic jobs, by outcome.", ["job", "outcome"])
LOOP_FAILURES = Counter("igloo_worker_loop_failures_total", "Steps of worker threads that failed.", ["loop"])
LAG = Histogram(
    "igloo_event_lag_seconds",
    "Time from an event's making to its effect here, by type.",
    ["type"],
    buckets=_LAG_BUCKETS,
)
QUEUE_MESSAGES = Gauge(
    "igloo_queue_messages",
    "Messages that wait in a queue of the broker, as last seen.",
    ["queue"],
    multiprocess_mode="max",
)
RELAY_LEADS = Gauge(
    "igloo_relay_leads", "1 where the service's leading relay is, else 0.", multiprocess_mode="max"
)
