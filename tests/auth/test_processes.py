"""The service's own processes: what they need to start, and how they end."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import requests

from auth.facebook_server import FacebookServer
from auth.processes import WEB, WORKER, free_port, running, stopped

EX_CONFIG = 78


def test_the_web_process_signs_people_in_and_ends_when_asked(
    environ: dict[str, str], facebook: FacebookServer
) -> None:
    address = f"127.0.0.1:{free_port()}"
    environ = {**environ, "IGLOO_WEB_BIND": address, "IGLOO_WEB_WORKERS": "2", "IGLOO_THREADS": "2"}

    with running(WEB, environ, ready_at=f"http://{address}/readyz") as process:
        proof = {"facebook_access_token": facebook.token(facebook.person())}
        granted = requests.post(
            f"http://{address}/v1/auth/token",
            data={"grant_type": "facebook_access_token", **proof},
            headers={"X-Forwarded-For": "203.0.113.7"},
            timeout=10,
        ).json()
        bearer = {"Authorization": f"Bearer {granted['access_token']}"}
        sessions = requests.get(f"http://{address}/v1/auth/sessions", headers=bearer, timeout=10).json()

        assert [entry["ip_prefix"] for entry in sessions["data"]] == ["203.0.113.0/24"]
        assert stopped(process) == 0


def test_the_worker_runs_without_signing_keys_and_ends_when_asked(
    environ: dict[str, str], tmp_path: Path
) -> None:
    port = free_port()
    broker = tmp_path / "broker"
    broker.mkdir()
    environ = {
        **environ,
        "IGLOO_WORKER_PORT": str(port),
        "IGLOO_BROKER_URL": f"filesystem://{broker}",
        "IGLOO_SIGNING_KEYS_FILE": "/nonexistent/keys.json",
    }

    with running(WORKER, environ, ready_at=f"http://127.0.0.1:{port}/readyz") as process:
        assert stopped(process) == 0


@pytest.mark.parametrize("command", [WEB, WORKER], ids=["web", "worker"])
def test_bad_configuration_is_named_line_by_line_and_nothing_starts(
    environ: dict[str, str], command: list[str]
) -> None:
    environ = {**environ, "FACEBOOK_APP_SECRET": "", "IGLOO_ACCESS_TOKEN_SECONDS": "a week"}

    ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603

    assert ended.returncode == EX_CONFIG, ended.stderr
    named = [line for line in ended.stderr.splitlines() if line.startswith("configuration: ")]
    assert [line.split()[1] for line in named] == ["FACEBOOK_APP_SECRET", "IGLOO_ACCESS_TOKEN_SECONDS"]


def test_a_web_process_that_cannot_sign_does_not_start(environ: dict[str, str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{}")

    ended = subprocess.run(  # noqa: S603 - ours
        WEB,
        env={**environ, "IGLOO_SIGNING_KEYS_FILE": str(broken)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == EX_CONFIG, ended.stderr
    assert "configuration: IGLOO_SIGNING_KEYS_FILE must hold" in ended.stderr
