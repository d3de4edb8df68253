"""`flask keys …`, as an operator types it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from auth.key_material import RETIRED_AFTER, document, jwk
from auth.secrets_manager import SECRET, SecretsManager, running_secrets_manager
from igloo_auth.tokens.key_files import FileKeys
from igloo_auth.tokens.key_stores import StoredKeys

Type = Callable[..., Result]
DAY = 86_400


@pytest.fixture
def now() -> int:
    """Return the time before the command; the keys of a test are days away from it, or that second's."""
    return int(time.time())


@pytest.fixture
def file(environ: dict[str, str]) -> Path:
    """Return where the keys are."""
    return Path(environ["IGLOO_SIGNING_KEYS_FILE"])


@pytest.fixture
def keys(app: Flask, file: Path) -> Type:
    """Type a command; what it says holds no private key of before or after."""

    def typed(*words: str) -> Result:
        before = stored(file) if file.exists() and words[0] != "list" else []
        result = app.test_cli_runner().invoke(args=["keys", *words])
        for key in [*before, *(stored(file) if file.exists() else [])]:
            assert key["d"] not in result.output
        return result

    return typed


def stored(file: Path) -> list[dict[str, Any]]:
    """Return the keys of the file."""
    found: list[dict[str, Any]] = json.loads(file.read_bytes())["keys"]
    return found


def kids(file: Path) -> list[str]:
    """Return their ids."""
    return [key["kid"] for key in stored(file)]


def utc(unix_seconds: int) -> str:
    """Write a time as the commands do."""
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def test_the_keys_are_listed_with_their_state_and_times(keys: Type, file: Path, now: int) -> None:
    file.write_bytes(
        document(
            jwk("retired"),
            jwk("retiring", signs_from=0),
            jwk("current", signs_from=now - 100),
            jwk("next", signs_from=now + DAY),
        )
    )

    listed = keys("list")

    assert [re.split(r" {2,}", line) for line in listed.stdout.splitlines()] == [
        ["kid", "state", "signs from", "retires at"],
        ["retired", "retiring", "never again", utc(now - 100 + RETIRED_AFTER)],
        ["retiring", "retiring", "the beginning", utc(now - 100 + RETIRED_AFTER)],
        ["current", "current", utc(now - 100), utc(now + DAY + RETIRED_AFTER)],
        ["next", "next", utc(now + DAY), "-"],
    ]
    assert listed.exit_code == 0


def test_the_first_key_is_made_once(keys: Type, file: Path) -> None:
    made, again = keys("generate"), keys("generate")

    [key] = stored(file)
    assert made.exit_code == 0
    assert key["kid"] in made.stdout
    assert key["signs_from"] == 0
    assert (again.exit_code, again.stderr) == (
        1,
        "Error: There are keys already. `flask keys rotate` adds one.\n",
    )
    assert kids(file) == [key["kid"]]


@pytest.mark.parametrize("words", [("list",), ("rotate",), ("retire",), ("revoke", "a")])
def test_without_keys_there_is_nothing_to_change(keys: Type, file: Path, words: tuple[str, ...]) -> None:
    refused = keys(*words)

    assert refused.exit_code == 1
    assert "IGLOO_SIGNING_KEYS_FILE cannot be read: No such file" in refused.stderr
    assert "`flask keys generate` makes the first key." in refused.stderr
    assert not file.exists()


@pytest.mark.parametrize("words", [("list",), ("rotate",), ("retire",), ("revoke", "a")])
def test_a_file_of_something_else_is_named_and_left_alone(
    app: Flask, file: Path, words: tuple[str, ...]
) -> None:
    file.write_bytes(b'{"keys": [{"d": "a secret"}]}')

    refused = app.test_cli_runner().invoke(args=["keys", *words])

    assert (refused.exit_code, refused.output) == (
        1,
        "Error: IGLOO_SIGNING_KEYS_FILE holds not a document of ES256 private JWKs.\n",
    )
    assert file.read_bytes() == b'{"keys": [{"d": "a secret"}]}'


def test_a_rotation_publishes_a_key_for_longer_than_any_copy_of_the_key_set_lives(
    keys: Type, file: Path, now: int
) -> None:
    file.write_bytes(document(jwk("current", signs_from=0)))

    rotation = keys("rotate")

    old, new = stored(file)
    assert old["kid"] == "current"
    # A file is read again after a second, a key set after 300, and clocks differ by up to 60.
    assert 361 <= new["signs_from"] - now <= 361 + 60
    assert rotation.exit_code == 0
    assert rotation.stderr == ""
    published, signs, over = rotation.stdout.splitlines()
    assert published.endswith(f"{new['kid']} is published, and signs nothing yet.")
    assert signs == f"{utc(new['signs_from'])}  It signs, and current does not any more."
    over_at = utc(new["signs_from"] + RETIRED_AFTER)
    assert over == f"{over_at}  current is over; the next rotation drops it."


def test_a_rotation_drops_the_keys_that_are_over_and_no_others(keys: Type, file: Path, now: int) -> None:
    file.write_bytes(
        document(
            jwk("over", signs_from=now - 3 * DAY),
            jwk("over too"),
            jwk("retiring", signs_from=now - 2 * DAY),
            jwk("current", signs_from=now - 300),
        )
    )
    before = {key["kid"]: key for key in stored(file)}

    rotation = keys("rotate")

    assert [line for line in rotation.stdout.splitlines() if line.startswith("Dropped")] == [
        "Dropped over, which was over.",
        "Dropped over too, which was over.",
    ]
    *kept, new = stored(file)
    assert [key["kid"] for key in kept] == ["retiring", "current"]
    assert [key["d"] for key in kept] == [before[key["kid"]]["d"] for key in kept]
    assert new["kid"] not in before


def test_a_second_rotation_waits_for_the_first_unless_forced(keys: Type, file: Path, now: int) -> None:
    file.write_bytes(document(jwk("current", signs_from=0), jwk("next", signs_from=now + DAY)))

    refused = keys("rotate")
    assert refused.exit_code == 1
    assert refused.stderr.startswith(
        "Error: Nothing was changed: next waits for its time to sign already. Wait for it, revoke it, or"
    )
    assert kids(file) == ["current", "next"]

    forced = keys("rotate", "--force", "--after", "600")
    assert forced.exit_code == 0
    assert kids(file)[:2] == ["current", "next"]
    assert len(kids(file)) == 3


def test_a_rotation_sooner_than_everybody_knows_the_key_says_so(keys: Type, file: Path, now: int) -> None:
    file.write_bytes(document(jwk("current", signs_from=0)))

    rotation = keys("rotate", "--after", "0")

    assert rotation.exit_code == 0
    assert rotation.stderr == "Before 361 s have passed, a verifier may have to look for the new key.\n"
    assert stored(file)[1]["signs_from"] - now <= 60
    assert "It signs, and current does not any more." in rotation.stdout


@pytest.mark.parametrize("after", ["-1", "soon", "1.5"])
def test_a_rotation_in_the_past_is_no_rotation(keys: Type, file: Path, after: str) -> None:
    content = document(jwk("current", signs_from=0))
    file.write_bytes(content)

    assert keys("rotate", "--after", after).exit_code == 2
    assert file.read_bytes() == content


def test_of_two_rotations_at_once_one_is_refused(
    keys: Type, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_bytes(document(jwk("current", signs_from=0)))
    read = FileKeys.read
    others: list[Result] = []

    def read_and_be_overtaken(store: FileKeys) -> StoredKeys:
        found = read(store)
        if not others:
            monkeypatch.setattr(FileKeys, "read", read)
            others.append(keys("rotate"))
        return found

    monkeypatch.setattr(FileKeys, "read", read_and_be_overtaken)
    refused = keys("rotate")

    assert others[0].exit_code == 0
    assert (refused.exit_code, refused.stderr) == (
        1,
        "Error: Nothing was changed: IGLOO_SIGNING_KEYS_FILE was changed by somebody else at the same moment."
        " See `flask keys list`.\n",
    )
    assert len(kids(file)) == 2


def test_only_what_is_over_retires(keys: Type, file: Path, now: int) -> None:
    file.write_bytes(
        document(
            jwk("over", signs_from=now - 4 * DAY),
            jwk("-over", signs_from=now - 3 * DAY),
            jwk("retiring", signs_from=now - 2 * DAY),
            jwk("current", signs_from=now - 300),
            jwk("next", signs_from=now + DAY),
        )
    )

    for alive in ("retiring", "current", "next"):
        refused = keys("retire", "over", alive)
        assert refused.exit_code == 1
        assert f"{alive} is not over" in refused.stderr
    assert "there is no key unknown" in keys("retire", "unknown").stderr
    assert len(kids(file)) == 5

    assert keys("retire", "-over").stdout == "Dropped -over.\n"
    assert keys("retire").stdout == "Dropped over.\n"
    assert keys("retire").stdout == "No key is over.\n"
    assert kids(file) == ["retiring", "current", "next"]


def test_a_revoked_key_goes_at_once_and_a_new_one_signs(keys: Type, file: Path, now: int) -> None:
    file.write_bytes(
        document(
            jwk("retiring", signs_from=0),
            jwk("current", signs_from=now - 300),
            jwk("next", signs_from=now + DAY),
        )
    )

    revocation = keys("revoke", "current")

    retiring, following, new = stored(file)
    assert (retiring["kid"], following["kid"]) == ("retiring", "next")
    assert 0 <= new["signs_from"] - now <= 60
    assert revocation.exit_code == 0
    assert revocation.stdout.splitlines()[:2] == ["Withdrew current.", f"{new['kid']} signs from now on."]
    assert "301 s from now at most" in revocation.stdout
    assert f"{new['kid']}  current" in keys("list").stdout


def test_revoking_a_key_that_does_not_sign_leaves_the_one_that_does(keys: Type, file: Path, now: int) -> None:
    file.write_bytes(
        document(
            jwk("-retiring", signs_from=0),
            jwk("current", signs_from=now - 300),
            jwk("next", signs_from=now + DAY),
        )
    )

    revocation = keys("revoke", "next", "-retiring")

    assert revocation.stdout.splitlines()[:3] == [
        "Withdrew -retiring.",
        "Withdrew next.",
        "current goes on signing.",
    ]
    assert kids(file) == ["current"]


def test_revoking_every_key_leaves_a_new_one(keys: Type, file: Path) -> None:
    file.write_bytes(document(jwk("old"), jwk("current"), current="current"))

    assert keys("revoke", "old", "current").exit_code == 0

    [new] = kids(file)
    assert new not in ("old", "current")


def test_revoking_an_unknown_key_changes_nothing(keys: Type, file: Path) -> None:
    content = document(jwk("current", signs_from=0))
    file.write_bytes(content)

    refused = keys("revoke", "current", "unknown")

    assert refused.exit_code == 1
    assert "Nothing was changed: there is no key unknown." in refused.stderr
    assert keys("revoke").exit_code == 2
    assert file.read_bytes() == content


def test_an_older_document_is_rotated(keys: Type, file: Path) -> None:
    file.write_bytes(document(jwk("old"), jwk("current"), current="current"))

    assert keys("rotate").exit_code == 0

    assert [key.get("signs_from") for key in stored(file)][:2] == [None, 0]
    assert len(kids(file)) == 3
    assert [line.split()[1] for line in keys("list").stdout.splitlines()] == [
        "state",
        "retiring",
        "current",
        "next",
    ]


@pytest.fixture
def secrets() -> Iterator[SecretsManager]:
    """Run Secrets Manager."""
    with running_secrets_manager() as running:
        running.empty()
        yield running


def test_the_first_keys_in_aws_are_made_by_an_operator_and_by_nobody_else(
    environ: dict[str, str], secrets: SecretsManager
) -> None:
    environ = {
        **environ,
        **secrets.environ,
        "IGLOO_SIGNING_KEYS_FILE": "",
        "IGLOO_SIGNING_KEYS_SECRET": SECRET,
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", *words]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603

    def flask(*words: str) -> subprocess.CompletedProcess[str]:
        return run("flask", "--app", "igloo_auth.app", "keys", *words)

    web = run("gunicorn", "--config", "python:igloo_common.gunicorn_config", "igloo_auth.wsgi:app")
    assert web.returncode == 78
    assert "configuration: IGLOO_SIGNING_KEYS_SECRET cannot be read" in web.stderr

    assert flask("generate").returncode == 0
    assert flask("generate").returncode == 1
    rotation = flask("rotate")
    assert (rotation.returncode, rotation.stderr) == (0, "")
    listed = flask("list").stdout.splitlines()
    assert [line.split()[1] for line in listed] == ["state", "current", "next"]
    with secrets.client() as client:
        keys = json.loads(
            client.get_secret_value(SecretId=SECRET, VersionStage="AWSCURRENT")["SecretString"]
        )["keys"]
    assert [key["kid"] for key in keys] == [line.split()[0] for line in listed[1:]]
