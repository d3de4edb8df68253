"""The worker process takes up what events ask of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from factories.environment import service_environ
from factories.polling import wait_until
from factories.social_accounts import assert_nothing_is_left, delete_account
from factories.social_events import emitted
from factories.social_people import make_people, relate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sqlalchemy.orm import Session

    from factories.databases import DatabaseUrls


@pytest.fixture
def port() -> int:
    """Find a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def worker(
    database_urls: Mapping[str, DatabaseUrls], tmp_path: Path, port: int
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the worker until the test is over, and see that it ends well."""
    environ = service_environ(
        "social",
        database_url=database_urls["social"].service,
        broker_url=f"filesystem://{tmp_path}",
        worker_port=str(port),
        log_level="ERROR",
    )
    environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    with subprocess.Popen([sys.executable, "-m", "igloo_social.worker"], env=environ) as process:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_the_worker_erases_who_was_deleted_and_shows_what_waits(
    session: Session, worker: subprocess.Popen[bytes], port: int
) -> None:
    person, follower = make_people(session, 2)
    relate(session, follower, "f", person)
    session.commit()
    delete_account(session, person)

    wait_until(lambda: bool(emitted(session, "social.account.erased.v1")), "the person was erased")

    assert_nothing_is_left(session, person)
    assert worker.poll() is None
    with urlopen(f"http://127.0.0.1:{port}/metrics") as reply:
        assert b'igloo_account_tasks_waiting{kind="erasure"}' in reply.read()
