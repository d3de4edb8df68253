"""`make run` as a person meets it: what it prints, how it ends, what it answers meanwhile."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from igloo_local.addresses import read_addresses
from igloo_local.ports import free_port
from igloo_local.settings import inherited_environment
from igloo_local.source import ROOT, python_path
from igloo_local.waiting import wait_until
from stack.steady_people import UNLIMITED, SteadyPeople


class Running:
    """One `python -m igloo_local run` and further commands in the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.output = folder.parent / "output.txt"
        self._environment = {
            **inherited_environment(),
            "PYTHONPATH": python_path("infra/local", "libs/common"),
            "IGLOO_LOCAL_DIR": str(folder),
            "IGLOO_PORT": str(self.port),
            "IGLOO_BROKER": "filesystem",
            **UNLIMITED,
        }
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "igloo_local", "run", "--no-seed"],
                env=self._environment,
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_until_shown(self) -> None:
        """Wait for the last line of the summary."""
        wait_until(
            lambda: self.process.poll() is not None or "Ctrl-C stops" in self.output.read_text(),
            seconds=110,
            what="the address",
        )
        assert self.process.poll() is None, self.output.read_text()

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run another command of the stack."""
        return subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "igloo_local", *words],
            env=self._environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Start the stack as a program of its own."""
    program = Running(tmp_path_factory.mktemp("run") / "local")
    with program.process:
        try:
            program.wait_until_shown()
            yield program
        finally:
            program.process.terminate()


def test_progress_has_seconds_and_the_address_answers(running: Running) -> None:
    said = running.output.read_text()

    assert re.search(r"^ +\d+\.\d s  PostgreSQL at 127\.0\.0\.1:\d+$", said, re.MULTILINE)
    assert f"demo client   http://127.0.0.1:{running.port}" in said
    assert requests.get(f"http://127.0.0.1:{running.port}/", timeout=5).ok


def test_it_says_where_it_runs(running: Running) -> None:
    status = running.command("status")
    shell = running.command("env")

    assert status.returncode == 0
    assert f"igloo runs at http://127.0.0.1:{running.port}" in status.stdout
    assert f"export GATEWAY=http://127.0.0.1:{running.port}\n" in shell.stdout


def test_a_second_run_says_where_the_first_one_is(running: Running) -> None:
    second = running.command("run")

    assert second.returncode == 1
    assert second.stderr.startswith(f"igloo: already running at http://127.0.0.1:{running.port}")


def test_a_flask_command_runs_as_the_service(running: Running) -> None:
    current = running.command("flask", "auth", "db", "current")

    assert current.returncode == 0
    assert "(head)" in current.stdout


@pytest.mark.timeout(240)
def test_services_are_restarted_under_the_hands_of_people_and_nobody_notices(running: Running) -> None:
    before = read_addresses(running.folder)["pids"]

    with SteadyPeople(running.folder, ["Puffin", "Snow Hare", "Arctic Fox"]) as people:
        restarted = [running.command("restart", service) for service in ("auth", "social", "media")]
    after = read_addresses(running.folder)["pids"]

    assert [one.stderr for one in restarted] == [""] * 3
    assert restarted[0].stdout.startswith("auth has been restarted, process by process, in ")
    assert people.failures == []
    assert people.answers > 100
    assert (people.lost(), people.doubled()) == (set(), 0)
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} == {
        f"{service}-{role}" for service in ("auth", "social", "media") for role in ("web", "worker")
    }


def test_a_token_is_good_for_the_api(running: Running) -> None:
    token = running.command("token", "narwhal").stdout.strip()

    profile = requests.get(
        f"http://127.0.0.1:{running.port}/v1/users/me",
        headers={"Authorization": f"Bearer {token}"},
        timeout=5,
    ).json()

    assert profile["username"] == "narwhal"


def test_it_stops_at_a_signal_and_nothing_stays(running: Running) -> None:
    running.process.send_signal(signal.SIGINT)

    assert running.process.wait(timeout=60) == 0
    assert "stopped; the data stays in" in running.output.read_text()
    assert [*running.folder.rglob("*.process.json")] == []
    status = running.command("status")
    assert (status.returncode, status.stdout) == (1, f"igloo does not run in {running.folder}\n")
