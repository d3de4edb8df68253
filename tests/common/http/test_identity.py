from __future__ import annotations

import base64
import json
import time
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from factories.clocks import HandClock
from factories.tokens import AUDIENCE, ISSUER, KEY_ID, SIGNING_KEY, StaticKeys, token_for
from igloo_common.identity import InvalidToken, SessionRevoked, TokenExpired, TokenVerifier
from igloo_common.ids import new_id
from igloo_common.keys import Key

USER = new_id()


class Revoked:
    """A denylist to write on."""

    def __init__(self) -> None:
        self.sessions: set[UUID] = set()

    def denies(self, session_id: UUID) -> bool:
        """Look it up."""
        return session_id in self.sessions


class CountingKeys(StaticKeys):
    """Counts how often a key is asked for: once for every signature that is checked."""

    asked = 0
    withdrawn = 0

    def withdrawals(self) -> int:
        """Tell what the test says."""
        return self.withdrawn

    def key(self, kid: str) -> Key | None:
        """Count, and answer."""
        self.asked += 1
        return super().key(kid)


@pytest.fixture
def revoked() -> Revoked:
    return Revoked()


@pytest.fixture
def keys() -> CountingKeys:
    return CountingKeys()


@pytest.fixture
def clock() -> HandClock:
    return HandClock(time.time())


@pytest.fixture
def verifier(revoked: Revoked, keys: CountingKeys, clock: HandClock) -> TokenVerifier:
    return TokenVerifier(keys=keys, issuer=ISSUER, audience=AUDIENCE, denylist=revoked, unix_time=clock)


def test_a_good_token_names_its_bearer(verifier: TokenVerifier) -> None:
    session = new_id()

    identity = verifier.verify(token_for(USER, session_id=session, scopes="moderator user"))

    assert (identity.user_id, identity.session_id) == (USER, session)
    assert identity.scopes == {"moderator", "user"}


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "sid", "exp", "iat", "jti"])
def test_a_token_without_a_required_claim_is_refused(verifier: TokenVerifier, missing: str) -> None:
    with pytest.raises(InvalidToken):
        verifier.verify(token_for(USER, claims={missing: None}))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "http://elsewhere"},
        {"aud": "another"},
        {"aud": []},
        {"sub": "not a uuid"},
        {"sid": "not a uuid"},
        {"sid": 3},
        {"scope": ["moderator"]},
        {"exp": "soon"},
        {"exp": 1e400},
    ],
)
def test_a_claim_that_is_not_ours_is_refused(verifier: TokenVerifier, claims: dict[str, object]) -> None:
    with pytest.raises(InvalidToken):
        verifier.verify(token_for(USER, claims=claims))


@pytest.mark.parametrize(
    "headers",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"typ": "refresh+jwt"},
        {"kid": "unknown"},
        {"crit": ["exp"]},
        {"kid": "../../etc/passwd"},
    ],
)
def test_a_header_that_is_not_ours_is_refused(verifier: TokenVerifier, headers: dict[str, object]) -> None:
    with pytest.raises(InvalidToken):
        verifier.verify(token_for(USER, headers=headers))


def test_an_unsigned_token_is_refused(verifier: TokenVerifier) -> None:
    header, payload, _ = token_for(USER).split(".")
    unsigned = _encoded({"alg": "none", "typ": "at+jwt", "kid": KEY_ID})

    for token in (f"{unsigned}.{payload}.", f"{header}.{payload}.", f"{header}.{payload}.AAAA"):
        with pytest.raises(InvalidToken):
            verifier.verify(token)


def test_the_public_key_as_an_hmac_secret_is_refused(verifier: TokenVerifier) -> None:
    public = SIGNING_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    payload = token_for(USER).split(".")[1]
    signing_input = f"{_encoded({'alg': 'HS256', 'typ': 'at+jwt', 'kid': KEY_ID})}.{payload}"
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        signing_input.encode(), public
    )

    with pytest.raises(InvalidToken):
        verifier.verify(f"{signing_input}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}")


def test_a_key_that_the_token_brings_along_is_not_believed(verifier: TokenVerifier) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(stranger.public_key()))
    claims = jwt.decode(token_for(USER), options={"verify_signature": False})
    headers = {"typ": "at+jwt", "kid": KEY_ID, "jwk": jwk}

    with pytest.raises(InvalidToken):
        verifier.verify(jwt.encode(claims, stranger, algorithm="ES256", headers=headers))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "..",
        "é.é.é",
        "a" * 5000,
        base64.urlsafe_b64encode(b"[" * 3000).decode() + ".e30.AA",
    ],
)
def test_rubbish_is_refused(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(InvalidToken):
        verifier.verify(token)


def test_a_huge_token_is_refused_before_anything_is_computed(
    verifier: TokenVerifier, keys: CountingKeys
) -> None:
    with pytest.raises(InvalidToken):
        verifier.verify(token_for(USER, claims={"padding": "x" * 4096}))

    assert keys.asked == 0


def test_an_expired_token_says_so(verifier: TokenVerifier) -> None:
    with pytest.raises(TokenExpired):
        verifier.verify(token_for(USER, ttl_seconds=-1))


def test_a_clock_that_is_a_little_behind_refuses_nobody(verifier: TokenVerifier) -> None:
    assert verifier.verify(token_for(USER, claims={"iat": int(time.time()) + 30})).user_id == USER


def test_a_verified_token_is_remembered(verifier: TokenVerifier, keys: CountingKeys) -> None:
    token = token_for(USER)

    assert verifier.verify(token) == verifier.verify(token)
    assert keys.asked == 1


def test_a_remembered_token_expires_all_the_same(verifier: TokenVerifier, clock: HandClock) -> None:
    token = token_for(USER, ttl_seconds=600)
    verifier.verify(token)
    clock.now += 601

    with pytest.raises(TokenExpired):
        verifier.verify(token)


def test_a_remembered_token_is_refused_once_its_session_is_ended(
    verifier: TokenVerifier, revoked: Revoked
) -> None:
    session = new_id()
    token, other = token_for(USER, session_id=session), token_for(USER)
    verifier.verify(token)
    revoked.sessions.add(session)

    with pytest.raises(SessionRevoked):
        verifier.verify(token)
    assert verifier.verify(other).user_id == USER


def test_a_remembered_token_is_refused_once_its_key_is_withdrawn(revoked: Revoked, clock: HandClock) -> None:
    known = {KEY_ID: SIGNING_KEY.public_key()}
    keys = CountingKeys(known)
    verifier = TokenVerifier(keys=keys, issuer=ISSUER, audience=AUDIENCE, denylist=revoked, unix_time=clock)
    token = token_for(USER)
    verifier.verify(token)
    known.clear()
    keys.withdrawn += 1
    clock.now += 1

    for _ in range(2):
        with pytest.raises(InvalidToken):
            verifier.verify(token)


def test_the_other_tokens_are_verified_anew_once_and_then_remembered(
    verifier: TokenVerifier, keys: CountingKeys, clock: HandClock
) -> None:
    token = token_for(USER)
    verifier.verify(token)
    keys.withdrawn += 1

    for _ in range(5):
        clock.now += 1
        assert verifier.verify(token).user_id == USER

    assert keys.asked == 2


def test_a_clock_that_was_set_back_does_not_hide_that_a_key_was_withdrawn(
    verifier: TokenVerifier, keys: CountingKeys, clock: HandClock
) -> None:
    token = token_for(USER)
    verifier.verify(token)
    keys.withdrawn += 1
    clock.now -= 3600

    verifier.verify(token)

    assert keys.asked == 2


def test_a_token_whose_key_is_withdrawn_while_it_is_verified_is_not_remembered(
    revoked: Revoked, clock: HandClock
) -> None:
    class Withdrawing(CountingKeys):
        def key(self, kid: str) -> Key | None:
            found = super().key(kid)
            if self.asked == 1:
                # Another thread's request notices meanwhile that this key has gone.
                self.withdrawn += 1
                clock.now += 1
                racing.verify(token_for(new_id()))
            return found

    keys = Withdrawing()
    racing = TokenVerifier(keys=keys, issuer=ISSUER, audience=AUDIENCE, denylist=revoked, unix_time=clock)
    token = token_for(USER)
    racing.verify(token)
    assert keys.asked == 2

    racing.verify(token)

    assert keys.asked == 3


def test_remembered_tokens_have_an_old_key_set_fetched_again(revoked: Revoked, clock: HandClock) -> None:
    class Ageing(StaticKeys):
        looked_at: list[float]

        def withdrawals(self) -> int:
            self.looked_at.append(clock.now)
            return 0

    keys = Ageing()
    keys.looked_at = []
    verifier = TokenVerifier(keys=keys, issuer=ISSUER, audience=AUDIENCE, denylist=revoked, unix_time=clock)
    token, begin = token_for(USER), clock.now
    for _ in range(30):
        verifier.verify(token)
        clock.now += 0.25

    assert keys.looked_at == [begin + second for second in range(8)], "once a second, whoever is remembered"


def test_what_is_remembered_is_bounded(
    verifier: TokenVerifier, keys: CountingKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("igloo_common.identity._REMEMBERED_TOKENS", 2)
    first, second, third = (token_for(new_id()) for _ in range(3))
    for token in (first, second, third):
        verifier.verify(token)
    verifier.verify(third)
    assert keys.asked == 3

    verifier.verify(first)

    assert keys.asked == 4


def _encoded(content: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
