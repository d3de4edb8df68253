"""Facebook's published keys: fetched when needed, kept while it is away, and never too often."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from auth.facebook_server import FacebookServer, answering
from factories.clocks import HandClock
from igloo_auth.facebook.failures import FacebookFailed, FacebookUnavailable
from igloo_auth.facebook.id_token_keys import (
    REFRESH_SECONDS,
    STALE_SECONDS,
    UNKNOWN_ID_SECONDS,
    IdTokenKeys,
    parse_keys,
)
from igloo_auth.facebook.transport import Patience

_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
JWKS = "/.well-known/oauth/openid/jwks/"


NOW = int(time.time())


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The keys under test, with their clock."""

    tried: IdTokenKeys
    clock: HandClock
    facebook: FacebookServer

    @property
    def newest(self) -> str:
        """The id of the key that Facebook signs with now."""
        return self.facebook.directory.id_tokens.keys.signing.kid

    def fetches(self) -> int:
        """How often the document was asked for."""
        return len(self.facebook.asked(JWKS))


@pytest.fixture
def keys(facebook: FacebookServer) -> Iterator[Keys]:
    """Return keys of the running stand-in on a clock of the test's own."""
    clock = HandClock(1000.0)
    tried = IdTokenKeys(facebook.url + JWKS, patience=Patience(read=0.3), monotonic=clock)
    with closing(tried):
        yield Keys(tried=tried, clock=clock, facebook=facebook)


@pytest.fixture
def patient_keys(facebook: FacebookServer) -> Iterator[Keys]:
    """Return the like for tests in which Facebook is to answer always, however busy the machine is."""
    clock = HandClock(1000.0)
    with closing(IdTokenKeys(facebook.url + JWKS, monotonic=clock)) as tried:
        yield Keys(tried=tried, clock=clock, facebook=facebook)


def test_however_many_unknown_ids_come_the_document_is_fetched_once_in_a_while(keys: Keys) -> None:
    assert keys.tried.key(keys.newest) is not None
    keys.clock.now += UNKNOWN_ID_SECONDS

    assert [keys.tried.key(f"unknown-{number}") for number in range(50)] == [None] * 50
    assert keys.fetches() == 2


def test_a_key_made_just_now_is_found_at_once(patient_keys: Keys) -> None:
    for _ in range(5):
        patient_keys.facebook.directory.id_tokens.keys.rotate(keep_seconds=3600)
        patient_keys.clock.now += 0.1

        assert patient_keys.tried.key(patient_keys.newest) is not None


def test_made_up_ids_hide_no_new_key_and_cost_facebook_one_fetch_a_second(patient_keys: Keys) -> None:
    patient_keys.tried.key(patient_keys.newest)
    for number in range(100):
        patient_keys.clock.now += 0.001
        with suppress(FacebookUnavailable):
            assert patient_keys.tried.key(f"made-up-{number}") is None
    fetches = patient_keys.fetches()
    patient_keys.facebook.directory.id_tokens.keys.rotate(keep_seconds=3600)

    with pytest.raises(FacebookUnavailable):
        patient_keys.tried.key(patient_keys.newest)
    patient_keys.clock.now += 1
    assert patient_keys.tried.key(patient_keys.newest) is not None
    assert fetches <= 61


def test_a_withdrawn_key_is_forgotten_with_the_next_fetch(keys: Keys) -> None:
    withdrawn = keys.newest
    assert keys.tried.key(withdrawn) is not None
    keys.facebook.directory.id_tokens.keys.rotate(keep_seconds=0)

    assert keys.tried.key(withdrawn) is not None
    keys.clock.now += REFRESH_SECONDS + 1
    assert keys.tried.key(withdrawn) is None


def test_old_keys_serve_while_facebook_is_away_but_not_for_ever(keys: Keys) -> None:
    assert keys.tried.key(keys.newest) is not None
    keys.facebook.answer(JWKS, *[keys.facebook.silence] * 3)

    keys.clock.now += REFRESH_SECONDS + 1
    assert keys.tried.key(keys.newest) is not None
    assert keys.tried.key(keys.newest) is not None
    assert keys.fetches() == 2
    keys.clock.now += STALE_SECONDS
    with pytest.raises(FacebookUnavailable):
        keys.tried.key(keys.newest)


def test_while_the_document_cannot_be_had_an_unknown_id_is_not_called_wrong(keys: Keys) -> None:
    keys.tried.key(keys.newest)
    keys.clock.now += UNKNOWN_ID_SECONDS
    keys.facebook.answer(JWKS, answering(200, "<html>", "text/html"))

    with pytest.raises(FacebookFailed):
        keys.tried.key("unknown")
    keys.clock.now += UNKNOWN_ID_SECONDS
    assert keys.tried.key("unknown") is None


def _jwk(**changed: object) -> dict[str, object]:
    public = RSAAlgorithm.to_jwk(_KEY.public_key(), as_dict=True)
    return {**public, "kid": "k", "alg": "RS256", "use": "sig", **changed}


def _weak() -> dict[str, object]:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused
    return {**RSAAlgorithm.to_jwk(weak.public_key(), as_dict=True), "kid": "k"}


@pytest.mark.parametrize(
    "entry",
    [
        lambda: _jwk(use="enc"),
        lambda: _jwk(alg="HS256"),
        lambda: _jwk(kty="oct", k="c2VjcmV0"),
        lambda: _jwk(kid=7),
        lambda: _jwk(n="?"),
        lambda: "a text",
        _weak,
    ],
    ids=["encryption", "HS256", "symmetric", "no id", "broken", "text", "1024 bits"],
)
def test_a_key_that_signs_no_id_tokens_is_passed_over(entry: Callable[[], object]) -> None:
    good = _jwk(kid="good")
    document = json.dumps({"keys": [entry(), good]}).encode()

    assert list(parse_keys(document)) == ["good"]


def test_a_private_key_in_the_document_has_only_its_public_half_taken() -> None:
    private = {**RSAAlgorithm.to_jwk(_KEY, as_dict=True), "kid": "k"}

    [key] = parse_keys(json.dumps({"keys": [private]}).encode()).values()

    assert isinstance(key, rsa.RSAPublicKey)
