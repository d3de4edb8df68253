from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from igloo_common.signatures import rounded_expiry, sign_path, verify_path

NEW, OLD, OTHER = "new" * 12, "old" * 12, "other" * 12
NOW = datetime(2026, 1, 1, 12, 0, 1, tzinfo=UTC)
PATH = "/media/0193/thumb"
EXPIRES = int(NOW.timestamp()) + 60


def signature_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["signature"][0]


SIGNED = signature_of(sign_path(PATH, expires_at=EXPIRES, keys=[NEW]))


def test_a_signed_address_is_the_path_with_its_expiry_and_signature() -> None:
    address = urlsplit(sign_path(PATH, expires_at=EXPIRES, keys=[NEW]))

    assert address.path == PATH
    assert parse_qs(address.query) == {"expires": [str(EXPIRES)], "signature": [SIGNED]}


def test_the_signature_is_one_that_anybody_with_the_key_can_compute() -> None:
    lines = f"igloo-address-v1\n{PATH}\n{EXPIRES}"

    assert hmac.new(NEW.encode(), lines.encode(), hashlib.sha256).hexdigest()[:32] == SIGNED


def test_it_is_good_until_it_expires() -> None:
    last = datetime.fromtimestamp(EXPIRES, UTC) - timedelta(microseconds=1)

    assert verify_path(PATH, expires=EXPIRES, signature=SIGNED, now=last, keys=[NEW])
    assert not verify_path(
        PATH, expires=EXPIRES, signature=SIGNED, now=last + timedelta(microseconds=1), keys=[NEW]
    )


@pytest.mark.parametrize(
    ("path", "expires", "signature"),
    [
        ("/media/0193/full", EXPIRES, SIGNED),
        (PATH, EXPIRES + 1, SIGNED),
        (PATH, EXPIRES, SIGNED[:-1]),
        (PATH, EXPIRES, SIGNED.upper()),
        (PATH, EXPIRES, ""),
        (PATH, EXPIRES, "é" * 32),
        (PATH[:-1], EXPIRES, SIGNED),
    ],
)
def test_anything_else_is_refused(path: str, expires: int, signature: str) -> None:
    assert not verify_path(path, expires=expires, signature=signature, now=NOW, keys=[NEW])


def test_keys_rotate_by_prepending() -> None:
    signed_before = signature_of(sign_path(PATH, expires_at=EXPIRES, keys=[OLD]))

    assert verify_path(PATH, expires=EXPIRES, signature=signed_before, now=NOW, keys=[NEW, OLD])
    assert not verify_path(PATH, expires=EXPIRES, signature=signed_before, now=NOW, keys=[NEW, OTHER])
    assert signature_of(sign_path(PATH, expires_at=EXPIRES, keys=[NEW, OLD])) == SIGNED


def test_addresses_made_about_the_same_time_are_equal() -> None:
    moments = [NOW + timedelta(seconds=s) for s in range(0, 299, 7)]

    assert len({rounded_expiry(now, ttl_seconds=600, round_seconds=300) for now in moments}) == 1


def test_a_rounded_expiry_is_never_too_soon() -> None:
    for seconds in range(600):
        now = NOW + timedelta(seconds=seconds, microseconds=seconds)
        left = rounded_expiry(now, ttl_seconds=600, round_seconds=300) - now.timestamp()
        assert 600 <= left < 900
