"""What the auth worker does by itself, a subject a file; `JOBS` is what it does on schedule."""

from igloo_auth.jobs.export_sweep import sweep_exports
from igloo_auth.jobs.pruning import prune
from igloo_common.worker import PeriodicJob

JOBS = (
    PeriodicJob(name="prune-sessions", every_seconds=600, run=prune),
    PeriodicJob(name="sweep-exports", every_seconds=600, run=sweep_exports),
)
