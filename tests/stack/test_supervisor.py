"""What dies is started again; what was stopped stays stopped."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from igloo_local.processes import ChildProcess, Command
from igloo_local.supervisor import Supervisor
from igloo_local.waiting import wait_until

SLEEP = "import time; time.sleep(600)"


@contextmanager
def supervised(folder: Path, program: str) -> Iterator[tuple[ChildProcess, list[str]]]:
    command = Command(arguments=[sys.executable, "-c", program])
    process = ChildProcess("one", command, run_folder=folder, log=folder / "one.log")
    said: list[str] = []
    supervisor = Supervisor([process], report=said.append)
    process.start()
    supervisor.start()
    try:
        yield process, said
    finally:
        supervisor.stop()
        process.stop()


def test_a_killed_process_runs_again(tmp_path: Path) -> None:
    with supervised(tmp_path, SLEEP) as (process, said):
        first = process.pid

        process.kill()

        wait_until(lambda: process.pid not in (None, first), seconds=10, what="another process")
        wait_until(lambda: "one runs again" in said, seconds=10, what="the report")
        assert said[0].startswith("one ended with status -9; starting it again in 0.5 s")


def test_a_stopped_process_stays_stopped_while_others_are_looked_after(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with (
        supervised(tmp_path, SLEEP) as (process, said),
        supervised(tmp_path / "other", SLEEP) as (other, _),
    ):
        process.stop()
        before = other.starts
        other.kill()

        wait_until(lambda: other.starts > before, seconds=10, what="the other's restart")
        assert not process.running
        assert said == []


def test_each_restart_of_a_process_that_dies_at_once_waits_longer(tmp_path: Path) -> None:
    with supervised(tmp_path, "raise SystemExit(7)") as (_, said):
        wait_until(
            lambda: len([line for line in said if "ended" in line]) >= 3, seconds=20, what="three restarts"
        )

    ended = [line for line in said if "ended" in line]
    assert [line.rsplit(" in ", 1)[1] for line in ended[:3]] == ["0.5 s", "1.0 s", "2.0 s"]
    assert "status 7" in ended[0]
