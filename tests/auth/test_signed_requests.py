"""What Facebook signs is believed, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from auth.facebook_server import OTHER_APP, OUR_APP
from auth.signed import base64url, content, encoded, signed, signed_request
from igloo_auth.facebook.signed_requests import SignedRequestInvalid, read_signed_request
from igloo_local.facebook.signing import signed_request as stand_ins

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRET = OUR_APP[1]


def without(name: str) -> str:
    return signed(encoded({key: value for key, value in content(issued_at=NOW).items() if key != name}))


def with_changed_payload() -> str:
    signature = signed_request(issued_at=NOW).partition(".")[0]
    return f"{signature}.{encoded(content('42', issued_at=NOW))}"


GOOD = signed_request(issued_at=NOW)

REFUSED = {
    "nothing": ("", "malformed"),
    "no dot": (GOOD.replace(".", ""), "malformed"),
    "a dot alone": (".", "malformed"),
    "no signature": ("." + GOOD.partition(".")[2], "malformed"),
    "no payload": (GOOD.partition(".")[0] + ".", "malformed"),
    "three parts, as of a JWT": (GOOD + ".abc", "malformed"),
    "a signature with other characters": ("!" + GOOD, "malformed"),
    "a signature that is no ASCII": ("é" + GOOD, "malformed"),
    "a payload with other characters": (signed("!!!!"), "malformed"),
    "a payload that is no JSON": (signed(base64url(b"not json")), "malformed"),
    "a payload that is no UTF-8": (signed(base64url(b"\xff\xfe{}")), "malformed"),
    "a payload that is a list": (signed(encoded([content(issued_at=NOW)])), "malformed"),
    "a payload that is null": (signed(encoded(None)), "malformed"),
    "a signature of three bytes less": (GOOD[4:], "forged"),
    "a signature of nothing": (f"AA.{GOOD.partition('.')[2]}", "forged"),
    "a signature under another app's secret": (signed_request(issued_at=NOW, secret=OTHER_APP[1]), "forged"),
    "a signature under no secret": (signed_request(issued_at=NOW, secret=""), "forged"),
    "the payload of somebody else": (with_changed_payload(), "forged"),
    "unsigned, and says so": (f"AA.{encoded(content(issued_at=NOW, algorithm='none'))}", "forged"),
    "no algorithm": (without("algorithm"), "algorithm"),
    "algorithm none": (signed_request(issued_at=NOW, algorithm="none"), "algorithm"),
    "algorithm HMAC-SHA1": (signed_request(issued_at=NOW, algorithm="HMAC-SHA1"), "algorithm"),
    "algorithm in small letters": (signed_request(issued_at=NOW, algorithm="hmac-sha256"), "algorithm"),
    "algorithm as a list": (signed_request(issued_at=NOW, algorithm=["HMAC-SHA256"]), "algorithm"),
    "no person": (without("user_id"), "no_person"),
    "a person of no name": (signed_request("", issued_at=NOW), "no_person"),
    "a person as a number": (signed(encoded({**content(issued_at=NOW), "user_id": 4711})), "no_person"),
    "a person of endless name": (signed_request("4" * 129, issued_at=NOW), "no_person"),
    "a person that no database takes": (signed_request("4\x007", issued_at=NOW), "no_person"),
    "no time": (without("issued_at"), "no_time"),
    "a time as text": (signed(encoded({**content(), "issued_at": "1795435200"})), "no_time"),
    "a time as a fraction": (signed(encoded({**content(), "issued_at": 1795435200.5})), "no_time"),
    "a time that is true": (signed(encoded({**content(), "issued_at": True})), "no_time"),
    "an hour and a second old": (signed_request(issued_at=NOW - timedelta(seconds=3601)), "expired"),
    "of the year 1970": (signed(encoded({**content(), "issued_at": 0})), "expired"),
    "before every calendar": (signed(encoded({**content(), "issued_at": -(10**18)})), "expired"),
    "five minutes and a second early": (
        signed_request(issued_at=NOW + timedelta(seconds=301)),
        "not_yet_valid",
    ),
    "after every calendar": (signed(encoded({**content(), "issued_at": 10**18})), "not_yet_valid"),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_facebook_did_not_sign_just_now_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(SignedRequestInvalid) as refused:
        read_signed_request(text, app_secret=SECRET, now=NOW)

    assert (refused.value.code, refused.value.reason) == ("signed_request_invalid", reason)
    assert SECRET not in refused.value.detail


@pytest.mark.parametrize(
    "age", [timedelta(0), timedelta(hours=1), timedelta(minutes=-5)], ids=["now", "an hour", "early"]
)
def test_what_facebook_signed_within_the_hour_is_read(age: timedelta) -> None:
    said = read_signed_request(signed_request(issued_at=NOW - age), app_secret=SECRET, now=NOW)

    assert (said.facebook_user_id, said.issued_at) == ("4711", NOW - age)


def test_padding_and_further_fields_do_no_harm() -> None:
    payload = encoded(
        {**content(issued_at=NOW), "expires": 0, "oauth_token": "x", "user": {"locale": "ko_KR"}}
    )
    signature = signed(payload).partition(".")[0]

    said = read_signed_request(f"{signature}=.{payload}", app_secret=SECRET, now=NOW)

    assert said.facebook_user_id == "4711"


def test_the_stand_ins_requests_are_read() -> None:
    said = read_signed_request(stand_ins("4711", SECRET), app_secret=SECRET, now=datetime.now(UTC))

    assert said.facebook_user_id == "4711"
