"""Where signing keys are kept: whole at every moment, and never written over what was not read."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from botocore.exceptions import ClientError

from auth.key_material import NOW, FollowedKeys, document, followed, jwk
from auth.secrets_manager import REGION, SECRET, SecretsManager, running_secrets_manager
from factories.waiting import eventually
from igloo_auth.tokens.key_files import FileKeys
from igloo_auth.tokens.key_secrets import SecretKeys
from igloo_auth.tokens.key_stores import KeysChanged, KeysMissing, KeyStore, KeyStoreUnavailable
from igloo_common.settings import ConfigurationError

# Kills itself at the last moment before the new file would be in place.
KILLED_WRITER = """
import os, signal, sys
from pathlib import Path
from igloo_auth.tokens.key_files import FileKeys
store = FileKeys(Path(sys.argv[1]))
read = store.read()
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
store.write(b"the next one", replacing=read.version)
"""
# What gunicorn does: read before the fork, follow after it.
FORKED_READER = """
import os, sys, time
from igloo_auth.tokens.key_secrets import SecretKeys
from igloo_auth.tokens.signing_keys import SigningKeys
passed = 0.0
keys = SigningKeys(
    SecretKeys("igloo/signing-keys", region="us-east-1"), token_seconds=600, generate=False,
    monotonic=lambda: passed,
)
print(keys.current.kid, flush=True)
sys.stdin.readline()
children = []
for _ in range(2):
    child = os.fork()
    if child == 0:
        passed = 61.0
        deadline = time.monotonic() + 20
        while keys.current.kid == "old" and time.monotonic() < deadline:
            time.sleep(0.01)
            passed += 61.0
        os.write(1, f"{keys.current.kid}\\n".encode())
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[SecretsManager]:
    """Run Secrets Manager once for the file."""
    with running_secrets_manager() as running:
        yield running


@pytest.fixture
def secrets(server: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> SecretsManager:
    """Give an empty one, and tell boto3 where it is."""
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    server.empty()
    return server


@pytest.fixture(params=["file", "secret"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> KeyStore:
    """Make each kind of store, with nothing in it."""
    if request.param == "file":
        return FileKeys(tmp_path / "keys.json")
    request.getfixturevalue("secrets")
    return SecretKeys(SECRET, region=REGION)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where the keys are to be."""
    return tmp_path / "keys.json"


def test_what_was_written_is_read(store: KeyStore) -> None:
    with pytest.raises(KeysMissing, match=f"^{store.setting} cannot be read"):
        store.read()

    store.write(b"one", replacing=None)
    one = store.read()
    store.write(b"two", replacing=one.version)

    assert one.content == b"one"
    assert store.read().content == b"two"
    assert store.read().version != one.version


def test_nothing_is_written_over_what_was_not_read(store: KeyStore) -> None:
    store.write(b"one", replacing=None)
    one = store.read()
    store.write(b"two", replacing=one.version)

    for stale in (None, one.version):
        with pytest.raises(KeysChanged):
            store.write(b"three", replacing=stale)
        assert store.read().content == b"two"


@pytest.mark.parametrize("there", [True, False], ids=["the next", "the first"])
def test_of_two_who_write_at_once_one_is_refused(store: KeyStore, there: bool) -> None:
    if there:
        store.write(b"before", replacing=None)
    version = store.read().version if there else None
    together = Barrier(4)

    def write(content: bytes) -> bytes | None:
        together.wait()
        try:
            store.write(content, replacing=version)
        except KeysChanged:
            return None
        return content

    with ThreadPoolExecutor(4) as pool:
        written = [content for content in pool.map(write, [b"a", b"b", b"c", b"d"]) if content]

    assert written == [store.read().content]


def test_a_writer_that_is_killed_leaves_the_old_document_in_place(file: Path) -> None:
    store = FileKeys(file)
    store.write(b"one", replacing=None)

    killed = subprocess.run([sys.executable, "-c", KILLED_WRITER, str(file)], check=False, timeout=60)  # noqa: S603

    assert killed.returncode == -9
    assert store.read().content == b"one"
    assert len(list(file.parent.iterdir())) == 2, "the killed writer's draft"
    store.write(b"two", replacing=store.read().version)
    assert [entry.name for entry in file.parent.iterdir()] == ["keys.json"]
    assert store.read().content == b"two"


def test_a_file_that_others_could_read_is_said_so_and_closed_by_the_next_write(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_bytes(b"one")
    file.chmod(0o644)
    store = FileKeys(file)

    store.write(b"two", replacing=store.read().version)

    assert [record.message for record in caplog.records] == [
        "The file of signing keys can be read by others than its owner"
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_root_does_not_lock_the_service_out_of_its_keys(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileKeys(file)
    store.write(b"one", replacing=None)
    owner = (file.stat().st_uid, file.stat().st_gid)
    given: list[tuple[int, int]] = []
    # Only root gives files away: what is asked of the system is looked at, as somebody else than the owner.
    monkeypatch.setattr(os, "geteuid", lambda: owner[0] + 1)
    monkeypatch.setattr(os, "fchown", lambda _, uid, gid: given.append((uid, gid)))

    store.write(b"two", replacing=store.read().version)

    assert given == [owner]


def test_a_failed_write_leaves_nothing_behind(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileKeys(file)
    store.write(b"one", replacing=None)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyStoreUnavailable, match="cannot be written: No space left"):
        store.write(b"two", replacing=store.read().version)

    assert [entry.name for entry in file.parent.iterdir()] == ["keys.json"]
    assert store.read().content == b"one"


def test_the_current_version_of_a_secret_has_its_label_and_drafts_have_none(secrets: SecretsManager) -> None:
    store = SecretKeys(SECRET, region=REGION)
    store.write(b"one", replacing=None)
    one = store.read().version
    store.write(b"two", replacing=one)
    with pytest.raises(KeysChanged):
        store.write(b"three", replacing=one)

    labels = secrets.labels()

    assert labels.pop(store.read().version) == ["AWSCURRENT"]
    assert labels.pop(one) == ["AWSPREVIOUS"]
    assert list(labels.values()) == [[]]


def test_an_empty_secret_takes_the_first_keys(secrets: SecretsManager) -> None:
    with secrets.client() as client:
        client.create_secret(Name=SECRET)
    store = SecretKeys(SECRET, region=REGION)
    with pytest.raises(KeysMissing):
        store.read()

    store.write(b"one", replacing=None)

    assert store.read().content == b"one"
    assert [labels for labels in secrets.labels().values() if labels] == [["AWSCURRENT"]]


def test_a_secret_is_found_by_its_arn(secrets: SecretsManager) -> None:
    with secrets.client() as client:
        arn = client.create_secret(Name=SECRET, SecretString="one")["ARN"]
    store = SecretKeys(arn, region=REGION)

    store.write(b"two", replacing=store.read().version)

    assert SecretKeys(SECRET, region=REGION).read().content == b"two"


def test_a_secret_of_bytes_is_none_of_ours(secrets: SecretsManager) -> None:
    with secrets.client() as client:
        client.create_secret(Name=SECRET, SecretBinary=b"one")

    with pytest.raises(KeyStoreUnavailable, match="holds bytes"):
        SecretKeys(SECRET, region=REGION).read()


def test_a_move_whose_answer_was_lost_counts_as_made(secrets: SecretsManager) -> None:
    store = SecretKeys(SECRET, region=REGION)
    store.write(b"one", replacing=None)
    read = store.read()
    client = store._client
    move = client.update_secret_version_stage

    def move_and_fail(**arguments: str) -> object:
        move(**arguments)
        raise ClientError({"Error": {"Code": "InvalidParameterException"}}, "UpdateSecretVersionStage")

    client.update_secret_version_stage = move_and_fail  # type: ignore[assignment,method-assign]
    store.write(b"two", replacing=read.version)

    assert store.read().content == b"two"


def test_secrets_manager_that_refuses_is_told_from_somebody_else_who_wrote(secrets: SecretsManager) -> None:
    store = SecretKeys(SECRET, region=REGION)
    store.write(b"one", replacing=None)

    def refuse(**_: str) -> object:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "UpdateSecretVersionStage")

    store._client.update_secret_version_stage = refuse  # type: ignore[assignment,method-assign]
    with pytest.raises(KeyStoreUnavailable, match="Secrets Manager says AccessDeniedException"):
        store.write(b"two", replacing=store.read().version)

    assert store.read().content == b"one"


def test_a_secrets_manager_that_is_away_is_named(
    monkeypatch: pytest.MonkeyPatch, secrets: SecretsManager
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:9")
    keys = FollowedKeys(store=SecretKeys(SECRET, region=REGION), generate=True).keys

    with pytest.raises(ConfigurationError, match=r"^IGLOO_SIGNING_KEYS_SECRET cannot be read: EndpointConn"):
        keys.load()


def test_a_changed_file_is_followed_within_a_second(file: Path) -> None:
    old, new = jwk("old", signs_from=0), jwk("new", signs_from=NOW + 7)
    file.write_bytes(document(old))
    follower = followed(file)
    assert follower.published == ["old"]
    FileKeys(file).write(document(old, new), replacing=FileKeys(file).read().version)

    follower.pass_seconds(0.9)
    assert follower.published == ["old"], "it is not read for every request"
    follower.pass_seconds(0.1)
    assert follower.published == ["old", "new"]
    assert follower.keys.current.kid == "old"
    follower.clock.now += 6
    assert follower.keys.current.kid == "new"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.unlink(),
        lambda file: file.write_bytes(file.read_bytes()[:-30]),
        lambda file: file.write_bytes(b""),
        lambda file: (file.unlink(), file.mkdir()),
    ],
    ids=["gone", "half written", "empty", "a folder"],
)
def test_keys_that_cannot_be_read_any_more_stay_in_force(
    file: Path, caplog: pytest.LogCaptureFixture, spoil: Callable[[Path], object]
) -> None:
    content = document(jwk("only", signs_from=0))
    file.write_bytes(content)
    file.chmod(0o600)
    follower = followed(file, generate=True)
    follower.keys.load()
    with caplog.at_level(logging.WARNING):
        spoil(file)
        for _ in range(59):
            follower.pass_seconds(1)
            assert follower.keys.current.kid == "only"
            assert follower.keys.key("only") is not None

    assert [record.message for record in caplog.records] == [
        "The signing keys cannot be read again; those read last stay in force"
    ]
    assert follower.keys.withdrawals() == 0
    if file.is_dir():
        file.rmdir()
    file.write_bytes(document(jwk("repaired", signs_from=0)))
    follower.pass_seconds(1)
    assert follower.keys.current.kid == "repaired"


def test_a_changed_secret_is_followed_within_a_minute_and_no_request_waits(secrets: SecretsManager) -> None:
    old, new = jwk("old", signs_from=0), jwk("new", signs_from=NOW)
    store = SecretKeys(SECRET, region=REGION)
    store.write(document(old), replacing=None)
    follower = FollowedKeys(store=SecretKeys(SECRET, region=REGION))
    assert follower.published == ["old"]
    store.write(document(old, new), replacing=store.read().version)

    follower.pass_seconds(59)
    assert follower.published == ["old"]
    follower.pass_seconds(1)
    assert follower.keys.current.kid == "old", "who finds the keys old goes on with them"

    eventually(lambda: follower.keys.current.kid, lambda kid: kid == "new", what="the new key")
    assert follower.published == ["old", "new"]


def test_a_secrets_manager_that_goes_away_changes_nothing(
    secrets: SecretsManager, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = SecretKeys(SECRET, region=REGION)
    store.write(document(jwk("only", signs_from=0)), replacing=None)
    follower = FollowedKeys(store=SecretKeys(SECRET, region=REGION))
    follower.keys.load()
    with secrets.client() as client:
        client.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)

    follower.pass_seconds(60)
    assert follower.keys.current.kid == "only"

    eventually(lambda: caplog.records, what="a warning")
    assert (
        caplog.records[-1].message == "The signing keys cannot be read again; those read last stay in force"
    )
    assert follower.keys.current.kid == "only"


def test_every_process_forked_from_one_that_read_follows_by_itself(secrets: SecretsManager) -> None:
    old, new = jwk("old", signs_from=0), jwk("new", signs_from=1)
    store = SecretKeys(SECRET, region=REGION)
    store.write(document(old), replacing=None)
    with subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-c", FORKED_READER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        assert reader.stdout.readline() == "old\n"
        store.write(document(old, new), replacing=store.read().version)

        assert reader.communicate("fork\n", timeout=60)[0] == "new\nnew\n"


def test_keys_that_were_taken_away_are_counted(file: Path) -> None:
    old, new = jwk("old", signs_from=0), jwk("new", signs_from=NOW)
    follower = followed(file)
    counts = []
    for keys in ((old,), (old, new), (new,), (new,), ({**jwk("new", signs_from=NOW)},)):
        file.write_bytes(document(*keys))
        follower.pass_seconds(1)
        follower.keys.load()
        counts.append(follower.keys.withdrawals())

    assert counts == [0, 0, 1, 1, 2]
