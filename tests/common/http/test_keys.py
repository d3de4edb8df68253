from __future__ import annotations

from contextlib import suppress

import pytest

from factories.clocks import HandClock
from factories.jwks_publisher import Publisher, public_jwk
from igloo_common.key_sets import parse_keys
from igloo_common.keys import KeysUnavailable, RemoteKeys


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def keys(publisher: Publisher, clock: HandClock) -> RemoteKeys:
    return RemoteKeys(publisher.url, monotonic=clock)


def test_keys_are_fetched_once_for_all_tokens(publisher: Publisher, keys: RemoteKeys) -> None:
    publisher.publish("a", "b")

    assert keys.key("a") is keys.key("a")
    assert keys.key("b") is not None
    assert publisher.asked == 1


def test_each_of_some_made_up_ids_is_refused_at_once(
    publisher: Publisher, keys: RemoteKeys, clock: HandClock
) -> None:
    publisher.publish("a")
    for n in range(60):
        clock.now += 0.001
        assert keys.key(f"made-up-{n}") is None

    publisher.publish("a", "new")
    clock.now += 1

    assert keys.key("new") is not None


def test_a_flood_of_made_up_ids_costs_the_publisher_some_fetches_and_one_a_second(
    publisher: Publisher, keys: RemoteKeys, clock: HandClock
) -> None:
    publisher.publish("a")
    for n in range(10_000):
        clock.now += 0.001
        with suppress(KeysUnavailable):
            assert keys.key(f"made-up-{n}") is None

    assert publisher.asked <= 1 + 60 + 10


def test_made_up_ids_keep_no_new_key_from_being_found(
    publisher: Publisher, keys: RemoteKeys, clock: HandClock
) -> None:
    publisher.publish("a")
    for n in range(100):
        clock.now += 0.001
        with suppress(KeysUnavailable):
            assert keys.key(f"made-up-{n}") is None
    publisher.publish("a", "new")

    # A token of the new key comes amid the flood: nobody has looked yet whether there is such a key.
    with pytest.raises(KeysUnavailable):
        keys.key("new")
    clock.now += 1

    assert keys.key("new") is not None


def test_an_id_that_was_looked_for_is_refused_within_the_pause(
    publisher: Publisher, keys: RemoteKeys, clock: HandClock
) -> None:
    publisher.publish("a")
    assert keys.key("made-up") is None
    clock.now += 4

    assert keys.key("made-up") is None
    assert publisher.asked == 1


def test_who_waited_for_an_attempt_that_took_long_does_not_begin_another(
    publisher: Publisher, keys: RemoteKeys, clock: HandClock
) -> None:
    publisher.reply = (500, b"")
    publisher.when_asked = lambda: setattr(clock, "now", clock.now + 2)

    for kid in ("a", "b", "c"):
        with pytest.raises(KeysUnavailable):
            keys.key(kid)

    assert publisher.asked == 1


def test_known_keys_go_on_while_the_publisher_is_down(
    publisher: Publisher, keys: RemoteKeys, clock: HandClock
) -> None:
    publisher.publish("a")
    known = keys.key("a")
    publisher.reply = (500, b"")
    clock.now += 3600

    assert keys.key("a") is known
    assert publisher.asked == 2


@pytest.mark.parametrize(
    "reply",
    [
        None,
        (500, b"{}"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"keys": {}}'),
        (200, b'{"keys": []}'),
        (200, b'{"keys": [' + b" " * 300_000 + b"]}"),
        (302, b""),
    ],
)
def test_what_cannot_be_told_is_503_and_never_no(
    publisher: Publisher, keys: RemoteKeys, clock: HandClock, reply: tuple[int, bytes] | None
) -> None:
    publisher.reply = reply
    with pytest.raises(KeysUnavailable):
        keys.key("a")

    publisher.publish("a")
    with pytest.raises(KeysUnavailable):
        keys.key("a")
    assert publisher.asked == 1, "a publisher in trouble is not asked for every token"
    clock.now += 1

    assert keys.key("a") is not None


def test_an_old_document_is_asked_for_seldom_while_the_publisher_is_down(
    publisher: Publisher, keys: RemoteKeys, clock: HandClock
) -> None:
    publisher.publish("a")
    assert keys.key("a") is not None
    publisher.reply = (500, b"")
    clock.now += 3600

    for _ in range(29):
        assert keys.key("a") is not None
        clock.now += 1

    assert publisher.asked == 2


def test_a_withdrawn_key_stops_working(publisher: Publisher, keys: RemoteKeys, clock: HandClock) -> None:
    publisher.publish("a", "b")
    assert keys.key("a") is not None
    publisher.publish("b")
    clock.now += 301

    assert keys.key("a") is None
    assert keys.key("b") is not None


def test_an_id_that_was_in_an_earlier_document_is_refused_without_another_look(
    publisher: Publisher, keys: RemoteKeys, clock: HandClock
) -> None:
    publisher.publish("a", "b")
    assert keys.key("b") is not None
    publisher.publish_again("b")
    clock.now += 301
    assert keys.key("b") is not None
    clock.now += 1

    assert keys.key("a") is None
    assert publisher.asked == 2


def test_keys_that_were_taken_away_are_counted_even_if_nobody_asks_for_one(
    publisher: Publisher, keys: RemoteKeys, clock: HandClock
) -> None:
    assert keys.withdrawals() == 0
    assert publisher.asked == 0, "who knows no key has none to lose"
    publisher.publish("a")
    assert keys.key("a") is not None

    counts = []
    for published in (("a",), ("a", "b"), ("b",), ("b",)):
        publisher.publish_again(*published)
        clock.now += 301
        counts.append(keys.withdrawals())
    publisher.publish("b")
    clock.now += 301
    counts.append(keys.withdrawals())

    assert counts == [0, 0, 1, 1, 2], "the last is another key of the same id"
    assert publisher.asked == 6


def test_a_publisher_that_is_away_takes_no_key_away(
    publisher: Publisher, keys: RemoteKeys, clock: HandClock
) -> None:
    publisher.publish("a")
    assert keys.key("a") is not None
    publisher.reply = (500, b"")
    clock.now += 3600

    assert keys.withdrawals() == 0
    assert keys.key("a") is not None


def test_keys_of_other_kinds_are_passed_over() -> None:
    good = public_jwk("good")
    others = [
        {"kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "AQAB"},
        {"kty": "oct", "kid": "secret", "k": "AAAA"},
        {**public_jwk("encrypts"), "use": "enc"},
        {**public_jwk("broken"), "x": "AAAA"},
        {**public_jwk("x"), "kid": 3},
        "text",
        None,
    ]

    assert list(parse_keys({"keys": [*others, good]})) == ["good"]
