"""The keys that sign access tokens: made once, kept private, chosen by the clock, published in part."""

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

from auth.key_material import NOW, RETIRED_AFTER, document, followed, jwk
from igloo_auth.tokens.key_documents import read_document, write_document
from igloo_common.settings import ConfigurationError

# Waits for a line, so that all of them are past their imports when the race begins.
RACER = """
import sys
from pathlib import Path
from igloo_auth.tokens.key_files import FileKeys
from igloo_auth.tokens.signing_keys import SigningKeys
print("ready", flush=True)
sys.stdin.readline()
print(SigningKeys(FileKeys(Path(sys.argv[1])), token_seconds=600, generate=True).current.kid)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where the keys are to be."""
    return tmp_path / "keys.json"


def test_the_first_start_makes_a_file_that_only_its_owner_reads(file: Path) -> None:
    kid = followed(file, generate=True).keys.current.kid

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["keys.json"]
    assert followed(file).keys.current.kid == kid


def test_processes_that_start_together_go_on_with_one_key(file: Path) -> None:
    command = [sys.executable, "-c", RACER, str(file)]
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
    assert [entry.name for entry in file.parent.iterdir()] == ["keys.json"]


def test_only_public_halves_are_published(client: FlaskClient, environ: dict[str, str]) -> None:
    answer = client.get("/.well-known/jwks.json")

    [key] = (answer.json or {})["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    private = json.loads(Path(environ["IGLOO_SIGNING_KEYS_FILE"]).read_text())["keys"][0]["d"]
    assert private not in answer.text


def test_whoever_has_the_key_set_is_sent_no_second_copy(
    client: FlaskClient, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    tag = client.get("/.well-known/jwks.json").headers["ETag"]

    known = client.get("/.well-known/jwks.json", headers={"If-None-Match": f'"other", {tag}'})
    other = make_app(IGLOO_SIGNING_KEYS_FILE=str(tmp_path / "other.json")).test_client()
    changed = other.get("/.well-known/jwks.json", headers={"If-None-Match": tag})

    assert (known.status_code, known.data, known.headers["ETag"]) == (304, b"", tag)
    assert known.headers["Cache-Control"] == "public, max-age=300"
    assert (changed.status_code, len((changed.json or {})["keys"])) == (200, 1)


def test_the_newest_key_signs_whose_time_has_come(file: Path) -> None:
    file.write_bytes(
        document(
            jwk("next", signs_from=NOW + 100),
            jwk("old", signs_from=NOW - 200),
            jwk("current", signs_from=NOW),
        )
    )
    followed_keys = followed(file)

    assert followed_keys.keys.current.kid == "current"
    assert followed_keys.published == ["next", "old", "current"]
    followed_keys.clock.now += 99.9
    assert followed_keys.keys.current.kid == "current"
    followed_keys.clock.now += 0.1
    assert followed_keys.keys.current.kid == "next"


def test_a_key_is_over_once_no_token_of_it_can_be_alive(file: Path) -> None:
    file.write_bytes(document(jwk("old", signs_from=0), jwk("new", signs_from=NOW)))
    followed_keys = followed(file)
    keys = followed_keys.keys

    followed_keys.clock.now = NOW + RETIRED_AFTER - 0.1
    assert keys.key("old") is not None
    assert followed_keys.published == ["old", "new"]

    followed_keys.clock.now += 0.1
    assert keys.key("old") is None
    assert followed_keys.published == ["new"]
    assert keys.key("new") is not None
    assert keys.key("unknown") is None


def test_of_two_keys_of_one_second_the_one_added_later_signs(file: Path) -> None:
    file.write_bytes(document(jwk("first", signs_from=NOW), jwk("second", signs_from=NOW)))
    followed_keys = followed(file)

    assert followed_keys.keys.current.kid == "second"
    followed_keys.clock.now += RETIRED_AFTER
    assert followed_keys.published == ["second"]


def test_a_machine_whose_clock_is_behind_signs_with_the_first_key_all_the_same(file: Path) -> None:
    file.write_bytes(document(jwk("later", signs_from=NOW + 9), jwk("first", signs_from=NOW + 3)))

    assert followed(file).keys.current.kid == "first"


def test_an_older_document_names_the_key_that_signs_and_the_others_verify(file: Path) -> None:
    file.write_bytes(document(jwk("old"), jwk("current"), current="current"))
    followed_keys = followed(file)

    assert followed_keys.keys.current.kid == "current"
    assert followed_keys.published == ["old", "current"]
    assert followed_keys.keys.key("old") is not None


def test_the_keys_that_an_older_document_only_verifies_with_go_after_the_first_rotation(file: Path) -> None:
    file.write_bytes(
        document(jwk("old"), jwk("current"), jwk("new", signs_from=NOW + 420), current="current")
    )
    followed_keys = followed(file)

    followed_keys.clock.now = NOW + 420 + RETIRED_AFTER - 1
    assert followed_keys.published == ["old", "current", "new"]
    followed_keys.clock.now += 1
    assert followed_keys.published == ["new"]


def test_what_is_written_is_what_is_read() -> None:
    read = read_document(
        document(jwk("a"), jwk("b", signs_from=NOW, nickname="passed over"), current="a", note="too")
    )

    again = read_document(write_document(read))

    assert [(key.kid, key.signs_from) for key in again.keys] == [("a", 0), ("b", NOW)]
    assert [key.private.private_numbers() for key in again.keys] == [
        key.private.private_numbers() for key in read.keys
    ]


def public_only() -> bytes:
    """Return a document without a private part."""
    public = generate_private_key(SECP256R1()).public_key()
    return document({**ECAlgorithm.to_jwk(public, as_dict=True), "kid": "a"}, current="a")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"keys": null}',
        document(),
        document(current="a"),
        b'{"current": "a", "keys": [5]}',
        document({"kid": "a", "kty": "oct", "k": "c2VjcmV0"}, current="a"),
        document({"kid": "a", "kty": "EC", "crv": "P-256"}, current="a"),
        document(jwk("a", curve=SECP384R1()), current="a"),
        document(jwk("good", signs_from=0), jwk("a", curve=SECP384R1(), signs_from=0)),
        public_only(),
        document({**jwk("a", signs_from=0), "d": jwk("b")["d"]}),
        document(jwk("verifies only")),
        document(jwk("a"), current="b"),
        document(jwk("a", signs_from=0), jwk("a", signs_from=1)),
        document(jwk("a", signs_from=-1)),
        document(jwk("a", signs_from=1.5)),
        document(jwk("a", signs_from=True)),
        document(jwk("a", signs_from="2026-11-23T00:00:00Z")),
        document({**jwk("", signs_from=0)}),
        document({**jwk("a", signs_from=0), "kid": 5}),
        document(jwk("a", signs_from=0))[:-40],
    ],
)
def test_a_file_of_something_else_stops_the_start_and_is_named_but_not_quoted(
    file: Path, content: bytes
) -> None:
    file.write_bytes(content)

    with pytest.raises(ConfigurationError, match=r"^IGLOO_SIGNING_KEYS_FILE must hold") as stopped:
        followed(file, generate=True).keys.load()
    assert stopped.value.__cause__ is None
    assert file.read_bytes() == content


def test_a_missing_file_is_not_made_where_that_is_not_allowed(file: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^IGLOO_SIGNING_KEYS_FILE cannot be read"):
        followed(file).keys.load()
    assert not file.exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^IGLOO_SIGNING_KEYS_FILE cannot be written: No such file"):
        followed(tmp_path / "missing" / "keys.json", generate=True).keys.load()


def test_an_application_that_signs_nothing_needs_no_keys(make_app: Callable[..., Flask]) -> None:
    client = make_app(IGLOO_SIGNING_KEYS_FILE="/nonexistent/keys.json").test_client()

    assert client.get("/.well-known/openid-configuration").status_code == 200
