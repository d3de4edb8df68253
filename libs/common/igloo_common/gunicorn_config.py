"""How gunicorn runs a web process: `--config python:igloo_common.gunicorn_config`."""

import logging
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from gunicorn.glogging import Logger

from igloo_common.gunicorn_refusals import answer_in_problems
from igloo_common.metrics import forget_earlier_processes, mark_process_dead
from igloo_common.settings import LOG_LEVELS, Environment, load_or_exit
from igloo_common.work_folders import remove_abandoned_folders


@dataclass(frozen=True, kw_only=True)
class WebServerSettings:
    """How the web process listens."""

    bind: str
    workers: int
    threads: int
    log_level: str
    drain_seconds: int

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read and check in one step."""
        env = Environment.load(environ)
        settings = cls(
            bind=env.text("IGLOO_WEB_BIND", default="127.0.0.1:8000"),
            workers=env.integer("IGLOO_WEB_WORKERS", default=2, minimum=1, maximum=64),
            threads=env.integer("IGLOO_THREADS", default=4, minimum=1, maximum=64),
            log_level=env.text("IGLOO_LOG_LEVEL", default="INFO", choices=LOG_LEVELS),
            drain_seconds=env.integer("IGLOO_DRAIN_SECONDS", default=0, minimum=0, maximum=90),
        )
        env.finish()
        return settings


class ErrorLog(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's log without its access lines: the application writes one line a request itself.

    `accesslog = None` would say the same, but for a `logconfig_dict`, with which gunicorn logs them anyway.
    """

    def access(self, *_: object) -> None:
        """Say nothing."""


_SETTINGS: Final = load_or_exit(WebServerSettings.load)
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 -- only a place for gunicorn's heartbeat files

bind = _SETTINGS.bind
worker_class = "igloo_common.gunicorn_worker.DrainingWorker"
workers = _SETTINGS.workers
threads = _SETTINGS.threads
# The application is imported once, before the fork: bad configuration then ends the start, and workers
# share the memory of what was imported.
preload_app = True
# nginx keeps idle upstream connections for 60 s. Were ours shorter, nginx would now and then send a request
# into a connection that is just being closed.
keepalive = 75
# As much as nginx takes in one header buffer: a hundred ids in one query are more than gunicorn's own 4094.
limit_request_line = 8190
timeout = 30
# Longer than any request may take, shorter than a task's stop timeout. It counts from SIGTERM: what a process
# goes on serving for is added.
graceful_timeout = 25 + _SETTINGS.drain_seconds
# A heartbeat file on a slow disk has gunicorn kill healthy workers.
worker_tmp_dir = str(_SHARED_MEMORY) if _SHARED_MEMORY.is_dir() else None
control_socket_disable = True
logger_class = ErrorLog
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"json": {"()": "igloo_common.logs.JsonLines", "service": "gunicorn"}},
    "root": {"level": _SETTINGS.log_level, "handlers": ["json"]},
    "loggers": {"gunicorn.error": {"level": _SETTINGS.log_level, "handlers": ["json"], "propagate": False}},
}


def on_starting(server: Any) -> None:  # noqa: ANN401 -- gunicorn's arbiter, which has no types
    """Start counting from nothing, and make workers that can be stopped from their first moment."""
    forget_earlier_processes()
    remove_abandoned_folders()
    answer_in_problems()
    # Until a worker has installed its own handlers, it has the arbiter's, which lose a SIGTERM: a stop right
    # after the start then took all of graceful_timeout.
    os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))


def post_fork(server: Any, worker: Any) -> None:  # noqa: ANN401 -- gunicorn's, which have no types
    """Leave the parent's database connections to the parent: two processes on one would garble both."""
    worker.drain_seconds = _SETTINGS.drain_seconds
    application = server.app.wsgi()
    with application.app_context():
        application.extensions["sqlalchemy"].engine.dispose(close=False)
    logging.getLogger("gunicorn.error").info("Worker started", extra={"pid": worker.pid})


def child_exit(server: Any, worker: Any) -> None:  # noqa: ANN401 -- gunicorn's, which have no types
    """Take a dead worker out of the gauges, and remove the files that it was killed over."""
    mark_process_dead(worker.pid)
    remove_abandoned_folders()
