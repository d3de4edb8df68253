"""The keys that sign access tokens: made once, kept private, published by their public halves."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from subprocess import PIPE

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from flask import Flask
from flask.testing import FlaskClient
from jwt.algorithms import ECAlgorithm

from igloo_auth.tokens.key_files import generate_key_file
from igloo_auth.tokens.signing_keys import SigningKeys
from igloo_common.settings import ConfigurationError


def loaded(file: Path, *, generate: bool = True) -> SigningKeys:
    """Load the keys of a file."""
    keys = SigningKeys(file, generate=generate)
    keys.load()
    return keys


# Waits for a line, so that all of them are past their imports when the race begins.
RACER = """
import sys
from pathlib import Path
from igloo_auth.tokens.key_files import generate_key_file
from igloo_auth.tokens.signing_keys import SigningKeys
print("ready", flush=True)
sys.stdin.readline()
print(SigningKeys(Path(sys.argv[1]), generate=True).current.kid)
"""


def test_the_first_start_makes_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"

    kid = loaded(file).current.kid

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["keys.json"]
    assert loaded(file).current.kid == kid


def test_processes_that_start_together_go_on_with_one_key(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RACER, str(tmp_path / "keys.json")]
    with ExitStack() as running:
        racers = [
            running.enter_context(subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True))  # noqa: S603 - ours
            for _ in range(6)
        ]
        assert [racer.stdout and racer.stdout.readline() for racer in racers] == ["ready\n"] * 6
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        kids = {racer.communicate(timeout=30)[0] for racer in racers}

    assert len(kids) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["keys.json"]


def test_a_process_that_is_late_with_its_key_leaves_the_first_one_in_place(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    generate_key_file(file)
    first = file.read_bytes()

    generate_key_file(file)

    assert file.read_bytes() == first
    assert [entry.name for entry in tmp_path.iterdir()] == ["keys.json"]


def test_only_public_halves_are_published(client: FlaskClient, environ: dict[str, str]) -> None:
    answer = client.get("/.well-known/jwks.json")

    document = answer.json or {}
    [key] = document["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    private = json.loads(Path(environ["IGLOO_SIGNING_KEYS_FILE"]).read_text())["keys"][0]["d"]
    assert private not in answer.text


def test_several_keys_are_published_and_the_current_one_signs(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    old = loaded(file).current.kid
    document = json.loads(file.read_text())
    new = {**ECAlgorithm.to_jwk(generate_private_key(SECP256R1()), as_dict=True), "kid": "new"}
    file.write_text(json.dumps({"current": "new", "keys": [*document["keys"], new]}))

    keys = loaded(file)

    assert keys.current.kid == "new"
    assert [key["kid"] for key in keys.public_document()["keys"]] == [old, "new"]
    assert keys.key(old) is not None
    assert keys.key("unknown") is None


def other_curve() -> str:
    """Return a document whose key is on another curve."""
    key = {**ECAlgorithm.to_jwk(generate_private_key(SECP384R1()), as_dict=True), "kid": "a"}
    return json.dumps({"current": "a", "keys": [key]})


def public_only() -> str:
    """Return a document without a private part."""
    public = generate_private_key(SECP256R1()).public_key()
    key = {**ECAlgorithm.to_jwk(public, as_dict=True), "kid": "a"}
    return json.dumps({"current": "a", "keys": [key]})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"current": "a", "keys": []}',
        '{"current": "a", "keys": [5]}',
        '{"current": "a", "keys": [{"kid": "a", "kty": "oct", "k": "c2VjcmV0"}]}',
        other_curve(),
        public_only(),
    ],
)
def test_a_file_of_something_else_stops_the_start_and_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(content)

    with pytest.raises(ConfigurationError, match=r"^IGLOO_SIGNING_KEYS_FILE must hold"):
        loaded(file)


def test_a_missing_file_is_not_made_where_that_is_not_allowed(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"

    with pytest.raises(ConfigurationError, match=r"^IGLOO_SIGNING_KEYS_FILE cannot be read"):
        loaded(file, generate=False)
    assert not file.exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^IGLOO_SIGNING_KEYS_FILE cannot be read"):
        loaded(tmp_path / "missing" / "keys.json")


def test_an_application_that_signs_nothing_needs_no_keys(make_app: Callable[..., Flask]) -> None:
    client = make_app(IGLOO_SIGNING_KEYS_FILE="/nonexistent/keys.json").test_client()

    assert client.get("/.well-known/openid-configuration").status_code == 200
