"""Signing in with an id_token of Facebook's Limited Login."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from flask.testing import FlaskClient
from jwt.algorithms import RSAAlgorithm
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.conftest import MakeApp
from auth.facebook_server import OTHER_APP, FacebookServer, answering
from auth.limited_logins import LimitedPhone, sign_with_a_kept_key
from auth.outboxes import published
from auth.phones import Phone
from igloo_auth.facebook.id_token_claims import ISSUERS
from igloo_auth.models.accounts import Account
from igloo_auth.models.nonces import UsedNonce
from igloo_local.facebook.id_tokens import Fault, Signature
from igloo_local.facebook.people import Person

JWKS = "/.well-known/oauth/openid/jwks/"
NOW = int(time.time())


@pytest.fixture(autouse=True)
def _kept_key(facebook: FacebookServer) -> None:
    sign_with_a_kept_key(facebook)


@pytest.fixture
def limited(client: FlaskClient, facebook: FacebookServer) -> LimitedPhone:
    """Return somebody's phone."""
    return LimitedPhone(client=client, facebook=facebook, person=facebook.person("Snow Hare"))


def account_of(phone: Phone) -> dict[str, object]:
    return phone.get("/v1/account").json or {}


def test_an_id_token_signs_its_person_in_without_a_call_to_graph(
    limited: LimitedPhone, facebook: FacebookServer, client: FlaskClient
) -> None:
    answer = limited.present(limited.id_token(), device_name="Hare's phone", platform="ios")

    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    account = account_of(Phone(client=client, granted=answer.json or {}))
    assert (account["facebook_user_id"], account["display_name"]) == (limited.person.id, "Snow Hare")
    assert account["picture_url"] == f"http://facebook.test/pictures/{limited.person.id}.svg"
    assert [call.path for call in facebook.calls] == [JWKS]


def test_both_kinds_of_login_lead_to_the_same_account(
    limited: LimitedPhone, facebook: FacebookServer, client: FlaskClient
) -> None:
    noise = Phone.signed_in(client, facebook.token(facebook.person("Noise")))
    classic = Phone.signed_in(client, facebook.token(limited.person))

    answer = limited.present(limited.id_token())

    assert (answer.json or {})["user_id"] == classic.user_id != noise.user_id


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Snow\0 Hare", "Snow Hare"),
        ("Snow Hare \ud83d", "Snow Hare"),
        ("Snow\n\x1b[31mHare", "Snow[31mHare"),
        ("S" * 10_000, "S" * 200),
        ("\0\ud83d", "Facebook user"),
        ("눈토끼 👩‍🚀", "눈토끼 👩‍🚀"),
    ],
)
def test_what_no_database_can_hold_is_left_out_of_a_name(
    limited: LimitedPhone, client: FlaskClient, said: str, name: str
) -> None:
    answer = limited.present(limited.id_token(fault=Fault(claims={"name": said})))

    assert answer.status_code == 200, answer.text
    assert account_of(Phone(client=client, granted=answer.json or {}))["display_name"] == name


@pytest.mark.parametrize("said", ["http://a.test/\0", "https://a.test/" + "a" * 5000, "https://a.test/a b"])
def test_a_picture_without_a_usable_address_is_none(
    limited: LimitedPhone, client: FlaskClient, said: str
) -> None:
    answer = limited.present(limited.id_token(fault=Fault(claims={"picture": said})))

    assert answer.status_code == 200, answer.text
    assert account_of(Phone(client=client, granted=answer.json or {}))["picture_url"] is None


def test_friends_that_are_no_user_ids_are_left_out(
    limited: LimitedPhone, facebook: FacebookServer, client: FlaskClient, session: Session
) -> None:
    puffin = facebook.person("Puffin")
    Phone.signed_in(client, facebook.token(puffin))
    friends = ["1\0", "\ud83d", "x", 5, None, puffin.id]

    answer = limited.present(limited.id_token(fault=Fault(claims={"user_friends": friends})))

    assert answer.status_code == 200, answer.text
    [event] = published(session, "auth.friends.found.v1")
    assert len(event.data["friend_ids"]) == 1


@pytest.mark.parametrize("issuer", sorted(ISSUERS))
def test_each_issuer_that_facebook_has_signed_as_is_taken(limited: LimitedPhone, issuer: str) -> None:
    assert limited.present(limited.id_token(fault=Fault(claims={"iss": issuer}))).status_code == 200


def test_clocks_may_differ_a_little(limited: LimitedPhone) -> None:
    times = {"iat": NOW + 30, "nbf": NOW + 30}

    assert limited.present(limited.id_token(fault=Fault(claims=times))).status_code == 200


@dataclass(frozen=True)
class Bad:
    """A token that must not sign anybody in, and the refusal."""

    reason: str = "not_valid"
    claims: dict[str, object] = field(default_factory=dict)
    header: dict[str, object] = field(default_factory=dict)
    signature: Signature = Signature.GOOD
    code: str = "facebook_token_invalid"


def claims(reason: str, **changed: object) -> Bad:
    return Bad(reason, claims=changed)


def header(**changed: object) -> Bad:
    return Bad(header=changed)


_ATTACKER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


BAD_TOKENS = {
    "no signature, alg none": Bad(signature=Signature.NONE),
    "alg None in other letters": Bad(signature=Signature.NONE, header={"alg": "nOnE"}),
    "no signature under alg RS256": Bad(signature=Signature.NONE, header={"alg": "RS256"}),
    "HS256 with the public key": Bad(signature=Signature.PUBLIC_KEY_AS_SECRET),
    "HS256 called RS256": Bad(signature=Signature.PUBLIC_KEY_AS_SECRET, header={"alg": "RS256"}),
    "a key of somebody else": Bad(signature=Signature.UNKNOWN_KEY),
    "alg RS512": header(alg="RS512"),
    "alg PS256": header(alg="PS256"),
    "alg ES256": header(alg="ES256"),
    "no alg": header(alg=None),
    "alg as a list": header(alg=["RS256"]),
    "no kid": header(kid=None),
    "an empty kid": header(kid=""),
    "an unknown kid": header(kid="0" * 40),
    "a path for a kid": header(kid="../../../../dev/null"),
    "SQL for a kid": header(kid="x' UNION SELECT 'key"),
    "an endless kid": header(kid="k" * 5000),
    "a number for a kid": header(kid=7),
    "a list for a kid": header(kid=["k"]),
    "a key that it brings along": Bad(
        signature=Signature.UNKNOWN_KEY,
        header={"jwk": RSAAlgorithm.to_jwk(_ATTACKER.public_key(), as_dict=True)},
    ),
    "an address of keys": Bad(signature=Signature.UNKNOWN_KEY, header={"jku": "http://127.0.0.1:9/jwks"}),
    "an address of certificates": Bad(
        signature=Signature.UNKNOWN_KEY, header={"x5u": "http://127.0.0.1:9/x"}
    ),
    "an access token": header(typ="at+jwt"),
    "a list for a typ": header(typ=["JWT"]),
    "an extension that must be understood": header(crit=["igloo"], igloo=True),
    "another issuer": claims("wrong_issuer", iss="https://facebook.example"),
    "an issuer with a slash": claims("wrong_issuer", iss="https://www.facebook.com/"),
    "an issuer over http": claims("wrong_issuer", iss="http://www.facebook.com"),
    "an issuer in capitals": claims("wrong_issuer", iss="https://WWW.facebook.com"),
    "an issuer below facebook.com": claims("wrong_issuer", iss="https://evil.facebook.com"),
    "no issuer": claims("wrong_issuer", iss=None),
    "a list of issuers": claims("wrong_issuer", iss=["https://www.facebook.com"]),
    "another app": claims("other_app", aud=OTHER_APP[0]),
    "our app among others": claims("other_app", aud=["1234567890", OTHER_APP[0]]),
    "our app in a list": claims("other_app", aud=["1234567890"]),
    "our app as a number": claims("other_app", aud=1234567890),
    "our app with a space": claims("other_app", aud=" 1234567890"),
    "no audience": claims("other_app", aud=None),
    "expired": claims("expired", exp=NOW - 1),
    "expired long ago": claims("expired", exp=0),
    "no expiry": claims("not_valid", exp=None),
    "a text for an expiry": claims("not_valid", exp="9999999999"),
    "an expiry that is no number": claims("not_valid", exp=float("nan")),
    "an endless expiry": claims("not_valid", exp=float("inf")),
    "true for an expiry": claims("not_valid", exp=True),
    "issued in the future": claims("not_yet_valid", iat=NOW + 3600),
    "not issued": claims("not_valid", iat=None),
    "good from tomorrow": claims("not_yet_valid", nbf=NOW + 24 * 3600),
    "a text for a beginning": claims("not_valid", nbf="now"),
    "nobody": claims("no_person", sub=None),
    "an empty person": claims("no_person", sub=""),
    "a number for a person": claims("no_person", sub=10001),
    "words for a person": claims("no_person", sub="Snow Hare"),
    "no nonce": Bad("missing", claims={"nonce": None}, code="nonce_invalid"),
    "an empty nonce": Bad("missing", claims={"nonce": ""}, code="nonce_invalid"),
    "a number for a nonce": Bad("missing", claims={"nonce": 7}, code="nonce_invalid"),
    "a nonce of somebody else": Bad("unknown", claims={"nonce": "n-0S6_WzA2Mj"}, code="nonce_invalid"),
    "a NUL for a nonce": Bad("unknown", claims={"nonce": "\x00" * 54}, code="nonce_invalid"),
}


@pytest.mark.parametrize("bad", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
def test_a_token_that_is_not_what_it_should_be_signs_nobody_in(
    limited: LimitedPhone, session: Session, bad: Bad
) -> None:
    fault = Fault(claims=bad.claims, header=bad.header, signature=bad.signature)

    answer = limited.present(limited.id_token(fault=fault))

    problem = answer.json or {}
    assert (answer.status_code, problem["code"], problem["reason"]) == (400, bad.code, bad.reason)
    assert problem["error"] == "invalid_grant"
    for table in (Account, UsedNonce):
        assert session.scalar(select(func.count()).select_from(table)) == 0


def _encoded(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


DEEP = base64.urlsafe_b64encode(b"[" * 20_000).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "a.b",
        "a.b.c",
        "a.b.c.d.e",
        "...",
        f"{_encoded([])}.{_encoded({})}.",
        f"{DEEP}.{_encoded({})}.",
        "é.é.é",
        "EAAGm0PX4ZCpsBA",
        "e" * 100_000,
    ],
    ids=lambda text: text[:8],
)
def test_what_is_no_jwt_at_all_is_refused_as_not_valid(limited: LimitedPhone, text: str) -> None:
    answer = limited.present(text)

    assert (answer.status_code, (answer.json or {})["reason"]) == (400, "not_valid")


def test_a_token_with_one_letter_changed_is_refused(limited: LimitedPhone) -> None:
    head, body, signature = limited.id_token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))

    answer = limited.present(f"{head}.{_encoded({**claims, 'sub': '1'})}.{signature}")

    assert (answer.json or {})["reason"] == "not_valid"


def test_facebooks_keys_may_change_between_two_sign_ins(
    limited: LimitedPhone, facebook: FacebookServer
) -> None:
    old = limited.id_token()

    facebook.directory.id_tokens.keys.rotate(keep_seconds=3600)

    assert limited.present(old).status_code == 200
    assert limited.present(limited.id_token()).status_code == 200
    assert len(facebook.asked(JWKS)) == 1


def test_known_keys_go_on_while_facebook_is_away(limited: LimitedPhone, facebook: FacebookServer) -> None:
    assert limited.present(limited.id_token()).status_code == 200
    facebook.answer(JWKS, *[answering(500, "")] * 20)

    assert limited.present(limited.id_token()).status_code == 200


@pytest.mark.parametrize(
    ("status", "body", "expected", "code"),
    [
        (500, "", 503, "facebook_unavailable"),
        (200, "<html>", 502, "facebook_failed"),
        (200, '{"keys": []}', 502, "facebook_failed"),
        (200, '{"keys": [', 502, "facebook_failed"),
        (200, "[1]", 502, "facebook_failed"),
        (200, " " * (2 * 1024 * 1024), 502, "facebook_failed"),
        (302, "", 502, "facebook_failed"),
        (404, "", 502, "facebook_failed"),
    ],
    ids=["500", "HTML", "no keys", "truncated", "list", "huge", "redirect", "404"],
)
def test_without_any_key_nobody_can_be_told_apart(  # noqa: PLR0917 - the columns of the table
    limited: LimitedPhone, facebook: FacebookServer, status: int, body: str, expected: int, code: str
) -> None:
    facebook.answer(JWKS, answering(status, body))

    answer = limited.present(limited.id_token())

    assert (answer.status_code, (answer.json or {})["code"]) == (expected, code)
    assert int(answer.headers["Retry-After"]) > 0


def test_keys_that_nobody_serves_are_unavailable(make_app: MakeApp, facebook: FacebookServer) -> None:
    client = make_app(IGLOO_FACEBOOK_JWKS_URL="http://127.0.0.1:9/keys").test_client()
    phone = LimitedPhone(client=client, facebook=facebook, person=facebook.person())

    answer = phone.present(phone.id_token())

    assert (answer.status_code, (answer.json or {})["code"]) == (503, "facebook_unavailable")


def test_friends_in_the_token_are_published_with_the_sign_in(
    limited: LimitedPhone, facebook: FacebookServer, client: FlaskClient, session: Session
) -> None:
    puffin, lynx = facebook.person("Puffin"), facebook.person("Lynx")
    known = {person: Phone.signed_in(client, facebook.token(person)) for person in (puffin, lynx)}

    limited.present(limited.id_token(friends=[puffin.id, "10009999", limited.person.id]))

    [event] = published(session, "auth.friends.found.v1")
    assert event.data["friend_ids"] == [known[puffin].user_id]
    assert event.aggregate_key == f"friends:{event.data['account_id']}"


@pytest.mark.parametrize(("friends", "events"), [(None, 0), ([], 1)], ids=["not shared", "none here"])
def test_no_friends_are_published_only_by_who_shares_them(
    limited: LimitedPhone, session: Session, friends: list[str] | None, events: int
) -> None:
    assert limited.present(limited.id_token(friends=friends)).status_code == 200

    assert len(published(session, "auth.friends.found.v1")) == events


def test_a_person_of_another_app_has_no_way_in(client: FlaskClient, facebook: FacebookServer) -> None:
    stranger: Person = facebook.person("Lynx", app=OTHER_APP)
    phone = LimitedPhone(client=client, facebook=facebook, person=stranger)

    answer = phone.present(phone.id_token())

    assert (answer.json or {})["reason"] == "other_app"
    assert jwt.get_unverified_header(phone.id_token())["alg"] == "RS256"
