"""Pure decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from igloo_auth.operations.refresh_secrets import (
    hash_refresh_token,
    new_refresh_token,
    open_successor,
    seal_successor,
)
from igloo_auth.policies.addresses import coarse_network
from igloo_auth.policies.refresh_tokens import is_honest_retry

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
GRACE = timedelta(seconds=60)
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("rotated_at", "successor_rotated_at", "honest"),
    [
        (NOW, NOW, True),
        (NOW - GRACE, NOW, True),
        (NOW - GRACE - INSTANT, NOW, False),
        (NOW - timedelta(days=30), None, True),
    ],
    ids=["at once", "at the end of the grace", "after the grace", "successor never used"],
)
def test_a_retry_is_honest_within_the_grace_or_before_the_successor_was_used(
    rotated_at: datetime, successor_rotated_at: datetime | None, honest: bool
) -> None:
    decided = is_honest_retry(
        rotated_at=rotated_at, successor_rotated_at=successor_rotated_at, grace_seconds=60, now=NOW
    )

    assert decided is honest


def test_a_seal_is_opened_by_its_token_alone() -> None:
    token, successor = new_refresh_token(), new_refresh_token()

    sealed = seal_successor(token=token, successor=successor)

    assert open_successor(token=token, sealed=sealed) == successor
    assert open_successor(token=new_refresh_token(), sealed=sealed) != successor


def test_a_token_has_256_bits_and_no_twin() -> None:
    tokens = {new_refresh_token() for _ in range(1000)}

    assert len(tokens) == len({hash_refresh_token(token) for token in tokens}) == 1000
    assert {len(token) for token in tokens} == {43}


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1234:5678::9", "2001:db8:1234::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("unknown", None),
        ("", None),
        (None, None),
    ],
)
def test_an_address_is_kept_only_coarsely(address: str | None, network: str | None) -> None:
    assert coarse_network(address) == network
