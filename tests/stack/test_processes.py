"""Child processes end with their parent, and only ours are ever ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from igloo_local import leftovers
from igloo_local.errors import StackError
from igloo_local.processes import ChildProcess, Command
from igloo_local.settings import inherited_environment
from igloo_local.source import python_path
from igloo_local.waiting import wait_until

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
# Starts a child of its own that outlives it unless somebody ends the whole session.
PARENT_OF_SLEEPER = [
    sys.executable,
    "-c",
    "import subprocess, sys, time;"
    "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print(p.pid, flush=True); time.sleep(600)",
]


def child(folder: Path, arguments: list[str], name: str = "sleeper") -> ChildProcess:
    return ChildProcess(
        name, Command(arguments=arguments, stop_seconds=3), run_folder=folder, log=folder / f"{name}.log"
    )


def test_a_child_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from igloo_local.processes import ChildProcess, Command;"
        f"c = ChildProcess('c', Command(arguments={SLEEP!r}), run_folder=Path({str(tmp_path)!r}),"
        f" log=Path({str(tmp_path)!r}) / 'c.log'); c.start(); print(c.pid, flush=True); time.sleep(600)"
    )
    roots = python_path("infra/local", "libs/common")
    parent = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**inherited_environment(), "PYTHONPATH": roots},
    )
    with parent:
        assert parent.stdout is not None
        grandchild = psutil.Process(int(parent.stdout.readline()))
        assert grandchild.is_running()

        parent.send_signal(signal.SIGKILL)

    wait_until(lambda: not _alive(grandchild), seconds=10, what="the end of the killed parent's child")


def test_stopping_ends_the_whole_session_of_a_child(tmp_path: Path) -> None:
    process = child(tmp_path, PARENT_OF_SLEEPER)
    process.start()
    wait_until(lambda: process.log.read_text().strip() != "", seconds=10, what="the child's own child")
    grandchild = psutil.Process(int(process.log.read_text()))

    process.stop()

    wait_until(lambda: not _alive(grandchild), seconds=10, what="the end of the child's child")
    assert not process.running


def test_a_start_ends_what_a_killed_run_left_alive(tmp_path: Path) -> None:
    earlier = child(tmp_path, SLEEP)
    earlier.start()
    left = psutil.Process(earlier.pid)

    later = child(tmp_path, SLEEP)
    later.start()

    assert not _alive(left)
    assert later.running
    later.stop()
    earlier.stop()


def test_a_process_that_merely_has_a_recorded_id_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(SLEEP, start_new_session=True)  # noqa: S603 - our own interpreter
    with stranger:
        record = tmp_path / "sleeper.process.json"
        identity = leftovers.identity(stranger.pid)
        record.write_text(json.dumps({**identity, "started": identity["started"] - 60}))

        leftovers.end(record)

        assert stranger.poll() is None
        stranger.kill()


def test_an_unreadable_record_is_nobodys(tmp_path: Path) -> None:
    record = tmp_path / "sleeper.process.json"
    record.write_text("{")

    leftovers.end(record)

    assert not record.exists()


def test_a_process_that_dies_is_not_waited_for(tmp_path: Path) -> None:
    process = child(tmp_path, [sys.executable, "-c", "print('no such luck'); raise SystemExit(3)"])
    process.start()

    with pytest.raises(StackError, match="sleeper ended with status 3") as caught:
        process.wait_ready(lambda: False, seconds=30)

    assert caught.value.log_lines[-1] == "no such luck"


def test_settings_of_igloo_in_the_shell_do_not_reach_a_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IGLOO_SECRET", "from the shell")
    monkeypatch.setenv("ORDINARY", "kept")
    program = "import os; print(os.environ.get('IGLOO_SECRET'), os.environ['ORDINARY'], os.environ['GIVEN'])"
    command = Command(arguments=[sys.executable, "-c", program], environment={"GIVEN": "by us"})
    process = ChildProcess("env", command, run_folder=tmp_path, log=tmp_path / "env.log")

    process.start_task()
    process.wait_for_end(seconds=10)

    assert process.log.read_text() == "None kept by us\n"


def _alive(process: psutil.Process) -> bool:
    return bool(
        process.is_running() and process.status() != psutil.STATUS_ZOMBIE and process.pid != os.getpid()
    )
