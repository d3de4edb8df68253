"""What auth says to an access token that is not one of ours, not any more, or not quite."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from igloo_auth.tokens.access_tokens import AccessTokens
from igloo_auth.tokens.signing_keys import SigningKeys
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_common.wiring import wiring_of

STRANGER: Final = ec.generate_private_key(ec.SECP256R1())
STRANGER_384: Final = ec.generate_private_key(ec.SECP384R1())
STRANGER_RSA: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(kw_only=True)
class Forge:
    """Makes tokens like the service's own, but for what a test changes."""

    keys: SigningKeys
    good: str

    @property
    def claims(self) -> dict[str, Any]:
        """What a good token says."""
        return jwt.decode(self.good, options={"verify_signature": False})

    @property
    def header(self) -> dict[str, Any]:
        """How a good token begins."""
        return jwt.get_unverified_header(self.good)

    @property
    def parts(self) -> list[str]:
        """Header, payload and signature of the good token."""
        return self.good.split(".")

    def signed(self, claims: Mapping[str, Any] | None = None, **header: Any) -> str:  # noqa: ANN401 - any JSON
        """Sign with the service's own key; a claim or header of None is left out."""
        payload = {**self.claims, **(claims or {})}
        kept = {name: value for name, value in payload.items() if value is not None}
        # By hand: a library would mend or refuse what these tests are about.
        merged = {**self.header, **header}
        start = f"{_part({name: value for name, value in merged.items() if value is not None})}.{_part(kept)}"
        signature = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).sign(
            start.encode(), self.keys.current.private
        )
        return f"{start}.{_encoded(signature)}"

    def forged(self, key: Any, algorithm: str, **header: Any) -> str:  # noqa: ANN401 - any key, any JSON
        """Sign with somebody else's key."""
        return jwt.encode(
            self.claims, key, algorithm=algorithm, headers={**self.header, "alg": algorithm, **header}
        )

    def keyed_by_the_public_key(self, secret: bytes) -> str:
        """Authenticate with what everybody knows, as if it were a shared secret."""
        start = f"{_part({**self.header, 'alg': 'HS256'})}.{self.parts[1]}"
        return f"{start}.{_encoded(hmac.digest(secret, start.encode(), hashlib.sha256))}"

    @property
    def public_pem(self) -> bytes:
        """The published key, as PEM."""
        return self.keys.current.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def published(self) -> bytes:
        """The published key, as it stands in the JWKS."""
        [jwk] = self.keys.public_document()["keys"]
        return orjson.dumps(dict(jwk))


def _part(content: object) -> str:
    return _encoded(orjson.dumps(content))


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    return dict(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True))


def _now() -> int:
    return int(time.time())


@pytest.fixture
def forge(app: Flask) -> Forge:
    """Make a forge with the service's keys at hand."""
    keys, tokens = (wiring_of(app).adapters[kind] for kind in (SigningKeys, AccessTokens))
    assert isinstance(keys, SigningKeys)
    assert isinstance(tokens, AccessTokens)
    good = tokens.issue(account_id=new_id(), session_id=new_id(), scope="user", now=utc_now())
    return Forge(keys=keys, good=good)


def ask(client: FlaskClient, authorization: str) -> TestResponse:
    """Read one's sessions with an Authorization header."""
    return client.get("/v1/auth/sessions", headers={"Authorization": authorization})


INVALID: dict[str, Callable[[Forge], str]] = {
    # Algorithms (RFC 8725 sections 2.1, 3.1, 3.2).
    "no signature, alg none": lambda f: f"{_part({**f.header, 'alg': 'none'})}.{f.parts[1]}.",
    "no signature, alg NoNe": lambda f: f"{_part({**f.header, 'alg': 'NoNe'})}.{f.parts[1]}.",
    "alg none with the good signature": lambda f: (
        f"{_part({**f.header, 'alg': 'none'})}.{f.parts[1]}.{f.parts[2]}"
    ),
    "no alg": lambda f: f.signed(alg=None),
    "alg is a list": lambda f: f.signed(alg=["ES256"]),
    "alg in lower case": lambda f: f.signed(alg="es256"),
    "HS256 with the PEM as secret": lambda f: f.keyed_by_the_public_key(f.public_pem),
    "HS256 with the PEM without its last line's end": lambda f: f.keyed_by_the_public_key(
        f.public_pem.strip()
    ),
    "HS256 with the JWK as secret": lambda f: f.keyed_by_the_public_key(f.published),
    "HS256 with no secret": lambda f: f.keyed_by_the_public_key(b""),
    "ES384 by a stranger": lambda f: f.forged(STRANGER_384, "ES384"),
    "RS256 by a stranger": lambda f: f.forged(STRANGER_RSA, "RS256"),
    # Keys that the token itself chooses (RFC 8725 sections 3.10 and 2.9).
    "ES256 by a stranger": lambda f: f.forged(STRANGER, "ES256"),
    "a stranger's key in jwk": lambda f: f.forged(STRANGER, "ES256", jwk=_jwk(STRANGER)),
    "a stranger's key set in jku": lambda f: f.forged(STRANGER, "ES256", jku="http://127.0.0.1:9/keys"),
    "a stranger's certificate in x5u": lambda f: f.forged(STRANGER, "ES256", x5u="http://127.0.0.1:9/pem"),
    "a stranger's certificate in x5c": lambda f: f.forged(STRANGER, "ES256", x5c=["MIIB"]),
    "no kid": lambda f: f.signed(kid=None),
    "an unknown kid": lambda f: f.signed(kid="another"),
    "an empty kid": lambda f: f.signed(kid=""),
    "a kid that is a number": lambda f: f.signed(kid=1),
    "a kid that is a path": lambda f: f.signed(kid="../../../../dev/null"),
    "a kid that is SQL": lambda f: f.signed(kid="' UNION SELECT 'secret' --"),
    "a kid with a NUL": lambda f: f.signed(kid="a\0b"),
    "a very long kid": lambda f: f.signed(kid="k" * 2000),
    "an extension that must be understood": lambda f: f.signed(crit=["exp"]),
    "an unencoded payload": lambda f: f.signed(crit=["b64"], b64=False),
    # Kinds of token (RFC 8725 section 3.11, RFC 9068 section 4).
    "typ of an id token": lambda f: f.signed(typ="JWT"),
    "no typ": lambda f: f.signed(typ=None),
    "typ is a list": lambda f: f.signed(typ=["at+jwt"]),
    # Whose it is, and for whom.
    "another issuer": lambda f: f.signed({"iss": "https://www.facebook.com"}),
    "an issuer that begins like ours": lambda f: f.signed({"iss": f"{f.claims['iss']}.example"}),
    "another audience": lambda f: f.signed({"aud": "another"}),
    "an audience that is none of a list": lambda f: f.signed({"aud": ["one", "another"]}),
    "no iss": lambda f: f.signed({"iss": None}),
    "no aud": lambda f: f.signed({"aud": None}),
    "no sub": lambda f: f.signed({"sub": None}),
    "no sid": lambda f: f.signed({"sid": None}),
    "no exp": lambda f: f.signed({"exp": None}),
    "no iat": lambda f: f.signed({"iat": None}),
    "no jti": lambda f: f.signed({"jti": None}),
    "a sub that is no UUID": lambda f: f.signed({"sub": "snow-hare"}),
    "a sub that is a number": lambda f: f.signed({"sub": 1}),
    "a sub that is an object": lambda f: f.signed({"sub": {"id": 1}}),
    "a sid that is no UUID": lambda f: f.signed({"sid": "0"}),
    "a scope that is a list": lambda f: f.signed({"scope": ["moderator"]}),
    "an exp that is a text": lambda f: f.signed({"exp": "tomorrow"}),
    "not good before a minute from now": lambda f: f.signed({"nbf": _now() + 60}),
    # What is no token, or more than one.
    "nothing": lambda f: "",
    "a word": lambda f: "nonsense",
    "two parts": lambda f: ".".join(f.parts[:2]),
    "four parts": lambda f: f"{f.good}.{f.parts[2]}",
    "five parts, as of an encrypted token": lambda f: f"{f.good}.a.b",
    "a header that is no object": lambda f: f"{_part(['at+jwt'])}.{f.parts[1]}.{f.parts[2]}",
    "a payload that is no object": lambda f: f"{f.parts[0]}.{_part([1])}.{f.parts[2]}",
    "another payload": lambda f: f"{f.parts[0]}.{_part({**f.claims, 'scope': 'moderator'})}.{f.parts[2]}",
    "another signature": lambda f: f"{f.parts[0]}.{f.parts[1]}.{_encoded(bytes(64))}",
    "a signature in DER's length": lambda f: f"{f.parts[0]}.{f.parts[1]}.{_encoded(bytes(70))}",
    "garbage behind it": lambda f: f"{f.good}!!!!",
    "padding behind it": lambda f: f"{f.good}==",
    "a space in it": lambda f: f"{f.parts[0]}. {f.parts[1]}.{f.parts[2]}",
    "the JSON form": lambda f: orjson.dumps({"payload": f.parts[1], "signature": f.parts[2]}).decode(),
    "letters that are not ASCII": lambda f: f"{f.good}é",
    "ten thousand letters": lambda f: "a" * 10_000,
    "a good token of ten thousand letters": lambda f: f.signed({"padding": "x" * 10_000}),
    "two tokens": lambda f: f"{f.good} {f.good}",
    "two headers in one": lambda f: f"{f.good}, Bearer {f.good}",
}


@pytest.mark.parametrize("make", INVALID.values(), ids=INVALID)
def test_what_is_not_our_token_is_refused_as_such(
    client: FlaskClient, forge: Forge, make: Callable[[Forge], str]
) -> None:
    answer = ask(client, f"Bearer {make(forge)}")

    assert (answer.status_code, (answer.json or {})["code"]) == (401, "invalid_token")
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="igloo", error="invalid_token", error_description="')
    assert forge.good not in answer.text
    assert ask(client, f"Bearer {forge.good}").status_code == 200


@pytest.mark.parametrize(
    "header",
    ["Basic dTpw", "DPoP {}", "Token {}", "{}", "Bearer", "Bearer ", "bearer", "", "Bearer\t{}"],
)
def test_what_is_no_bearer_token_is_refused(client: FlaskClient, forge: Forge, header: str) -> None:
    answer = ask(client, header.format(forge.good))

    assert (answer.status_code, (answer.json or {})["code"]) == (401, "invalid_token")


def test_two_authorization_headers_are_none(client: FlaskClient, forge: Forge) -> None:
    good = ("Authorization", f"Bearer {forge.good}")

    answer = client.get("/v1/auth/sessions", headers=[good, good])

    assert (answer.status_code, (answer.json or {})["code"]) == (401, "invalid_token")


def test_a_token_elsewhere_than_in_the_header_is_not_looked_for(client: FlaskClient, forge: Forge) -> None:
    client.set_cookie("access_token", forge.good)
    answer = client.get(f"/v1/auth/sessions?access_token={forge.good}")

    assert (answer.status_code, (answer.json or {})["code"]) == (401, "authentication_required")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="igloo"'


@pytest.mark.parametrize("ago", [0, 1, 3600])
def test_a_token_past_its_time_says_so(client: FlaskClient, forge: Forge, ago: int) -> None:
    answer = ask(client, f"Bearer {forge.signed({'exp': _now() - ago})}")

    assert (answer.status_code, (answer.json or {})["code"]) == (401, "token_expired")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_an_expired_token_by_a_stranger_is_not_said_to_be_expired(client: FlaskClient, forge: Forge) -> None:
    claims = {**forge.claims, "exp": _now() - 3600}
    forged = jwt.encode(claims, STRANGER, algorithm="ES256", headers=forge.header)

    assert (ask(client, f"Bearer {forged}").json or {})["code"] == "invalid_token"


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR"])
def test_the_schemes_name_may_be_written_in_any_case(client: FlaskClient, forge: Forge, scheme: str) -> None:
    assert ask(client, f"{scheme} {forge.good}").status_code == 200


@pytest.mark.parametrize(
    ("claims", "header"),
    [
        # A machine whose clock is a little behind must not refuse what another has just issued.
        ({"iat": _now() + 30}, {}),
        ({"aud": ["another", "igloo"]}, {}),
        ({"unknown": {"deep": [1]}}, {}),
        ({}, {"typ": "AT+JWT"}),
        ({}, {"typ": "application/at+jwt"}),
    ],
    ids=["issued in the future", "one audience of several", "more claims", "typ in upper case", "whole typ"],
)
def test_what_is_ours_is_taken(
    client: FlaskClient, forge: Forge, claims: dict[str, Any], header: dict[str, str]
) -> None:
    assert ask(client, f"Bearer {forge.signed(claims, **header)}").status_code == 200
