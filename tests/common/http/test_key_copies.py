"""What is known of auth's keys outlives the processes that know it, and no withdrawn key does."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from factories.clocks import HandClock
from factories.jwks_publisher import Publisher
from factories.sample_service import NOWHERE, sample_settings
from igloo_common.key_copies import KeyCopy
from igloo_common.keys import KeysUnavailable, RemoteKeys
from igloo_common.readiness import Verdict, keys_check
from igloo_common.settings import CommonSettings

DAY = 24 * 3600
OTHER_SECRET = "another-key-than-the-one-of-this-service"


@pytest.fixture
def settings(sample_database: str, publisher: Publisher) -> CommonSettings:
    return sample_settings(IGLOO_MEDIA_DATABASE_URL=sample_database, IGLOO_JWKS_URL=publisher.url)


@pytest.fixture
def rows(settings: CommonSettings) -> Iterator[psycopg.Connection]:
    """Look at the table, and leave it empty."""
    url = settings.database_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True, options="-c search_path=media") as connection:
        yield connection
        connection.execute("DELETE FROM key_copies")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(autouse=True)
def _empty(rows: psycopg.Connection) -> None:
    rows.execute("DELETE FROM key_copies")


def started(settings: CommonSettings, clock: HandClock | None = None) -> RemoteKeys:
    """Make the keys of a process that starts now."""
    clock = clock or HandClock()
    return RemoteKeys(settings.jwks_url, copy=KeyCopy(settings, monotonic=clock), monotonic=clock)


def left_behind(settings: CommonSettings, publisher: Publisher, *kids: str) -> RemoteKeys:
    """Leave the copy of a process that has fetched these keys, while the publisher goes away."""
    publisher.publish_again(*kids)
    process = started(settings)
    assert process.key(kids[0]) is not None
    publisher.reply = None
    return process


def test_a_process_that_starts_while_auth_is_away_knows_the_keys_that_another_has_fetched(
    settings: CommonSettings, publisher: Publisher
) -> None:
    before = left_behind(settings, publisher, "a", "b")
    process = started(settings)

    found = keys_check(process)

    assert (found.verdict, found.told["state"]) == (Verdict.DEGRADED, "last_known_good")
    assert process.key("a") == before.key("a")
    with pytest.raises(KeysUnavailable):
        process.key("new")


def test_a_process_that_came_a_moment_too_early_knows_the_keys_as_soon_as_another_does(
    settings: CommonSettings, publisher: Publisher, clock: HandClock
) -> None:
    publisher.reply = None
    early = started(settings, clock)
    assert keys_check(early).verdict is Verdict.UNREADY
    left_behind(settings, publisher, "a")
    clock.now += 0.2

    assert early.key("a") is not None


def test_keys_from_the_copy_are_replaced_by_auths_own_soon_after_it_is_back(
    settings: CommonSettings, publisher: Publisher, clock: HandClock
) -> None:
    left_behind(settings, publisher, "a", "b")
    process = started(settings, clock)
    assert process.key("a") is not None
    publisher.publish_again("b", "new")
    clock.now += 31

    assert (process.key("b") is not None, process.key("a"), process.withdrawals()) == (True, None, 1)
    assert keys_check(process).told["state"] == "fresh"


def test_a_slow_process_does_not_put_back_what_another_has_replaced(settings: CommonSettings) -> None:
    KeyCopy(settings).keep(b"without the withdrawn key", age_seconds=1)
    KeyCopy(settings).keep(b"with it, as it was before", age_seconds=5)

    kept = KeyCopy(settings).read()

    assert kept is not None
    assert kept.content == b"without the withdrawn key"
    assert 1 <= kept.age_seconds < 5


def test_a_process_that_is_cut_off_from_auth_learns_of_a_withdrawal_from_another(
    settings: CommonSettings, publisher: Publisher, clock: HandClock
) -> None:
    publisher.publish_again("a", "b")
    cut_off = started(settings, clock)
    assert cut_off.key("a") is not None
    clock.now += 301
    left_behind(settings, publisher, "b")

    assert cut_off.withdrawals() == 1
    assert (cut_off.key("a"), cut_off.key("b") is not None) == (None, True)


def test_a_copy_is_too_old_a_day_after_auth_has_confirmed_it(settings: CommonSettings) -> None:
    KeyCopy(settings).keep(b"old", age_seconds=DAY + 1)
    too_old = KeyCopy(settings).read()
    KeyCopy(settings).keep(b"new", age_seconds=DAY - 60)

    assert (too_old, KeyCopy(settings).read() is not None) == (None, True)


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE key_copies SET document = %(document)s",
        "UPDATE key_copies SET fetched_at = now()",
        "UPDATE key_copies SET seal = ''",
        "UPDATE key_copies SET seal = sha256(document)",
    ],
)
def test_who_can_write_into_the_database_can_sign_nobody_in(
    settings: CommonSettings, publisher: Publisher, rows: psycopg.Connection, forgery: str
) -> None:
    left_behind(settings, publisher, "a")
    publisher.publish("a")
    forged = (publisher.reply or (0, b""))[1]
    publisher.reply = None

    assert rows.execute(forgery.encode(), {"document": forged}).rowcount == 1

    assert KeyCopy(settings).read() is None
    assert keys_check(started(settings)).verdict is Verdict.UNREADY


def test_a_copy_that_another_secret_or_address_has_sealed_is_not_taken(
    settings: CommonSettings, sample_database: str, publisher: Publisher
) -> None:
    left_behind(settings, publisher, "a")
    environ = {"IGLOO_MEDIA_DATABASE_URL": sample_database, "IGLOO_JWKS_URL": publisher.url}

    for changed in ({"SECRET_KEY": OTHER_SECRET}, {"IGLOO_JWKS_URL": f"{publisher.url}?"}):
        assert KeyCopy(sample_settings(**environ | changed)).read() is None


def test_no_private_half_is_written_whatever_was_published(
    settings: CommonSettings, publisher: Publisher, rows: psycopg.Connection
) -> None:
    private = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    publisher.reply = (200, json.dumps({"keys": [{**private, "kid": "a"}]}).encode())
    assert started(settings).key("a") is not None

    [(written,)] = rows.execute("SELECT document FROM key_copies").fetchall()
    [entry] = json.loads(written)["keys"]
    assert entry.keys() == {"kid", "kty", "crv", "x", "y"}


def test_a_copy_is_written_when_it_is_news_and_otherwise_once_an_hour(
    settings: CommonSettings, publisher: Publisher, rows: psycopg.Connection, clock: HandClock
) -> None:
    def written() -> object:
        return rows.execute("SELECT xmin::text FROM key_copies").fetchall()

    process = started(settings, clock)
    seen = []
    for kids, seconds in ((["a"], 0), (["a"], 301), (["a", "b"], 301), (["a", "b"], 3601)):
        publisher.publish_again(*kids)
        clock.now += seconds
        assert process.key("a") is not None
        seen.append(written())

    assert seen[0] == seen[1]
    assert len({str(row) for row in seen}) == 3


def test_where_no_copy_is_wanted_none_is_written_or_read(
    sample_database: str, publisher: Publisher, settings: CommonSettings, rows: psycopg.Connection
) -> None:
    unwanted = sample_settings(
        IGLOO_MEDIA_DATABASE_URL=sample_database,
        IGLOO_JWKS_URL=publisher.url,
        IGLOO_KEYS_KEPT_SECONDS="0",
    )
    left_behind(unwanted, publisher, "a")
    assert rows.execute("SELECT 1 FROM key_copies").fetchall() == []
    left_behind(settings, publisher, "a")

    assert KeyCopy(unwanted).read() is None


@pytest.mark.parametrize("table_is", ["in a database that is away", "not there yet"])
def test_without_the_table_keys_are_had_from_auth_all_the_same(
    settings: CommonSettings, publisher: Publisher, sample_database: str, table_is: str
) -> None:
    url = NOWHERE if table_is != "not there yet" else sample_database.replace("/common_http", "/postgres")
    without = sample_settings(IGLOO_MEDIA_DATABASE_URL=url, IGLOO_JWKS_URL=publisher.url)
    publisher.publish("a")

    assert started(without).key("a") is not None
    publisher.reply = None
    with pytest.raises(KeysUnavailable):
        started(without).key("a")
