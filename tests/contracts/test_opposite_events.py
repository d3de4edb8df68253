"""Events that take each other back end where the later says, by whatever way they come."""

from __future__ import annotations

import pytest

from factories.event_archive import SERVICES, consumers_of, published

OPPOSITES = {
    "auth": [("social.suspension.decided.v1", "social.suspension.lifted.v1")],
    "media": [("social.post.hidden.v1", "social.post.restored.v1")],
    "social": [
        ("auth.account.suspended.v1", "auth.account.reinstated.v1"),
        ("media.item.ready.v1", "media.item.failed.v1"),
    ],
}


@pytest.mark.parametrize("service", SERVICES)
def test_opposite_events_supersede_each_other_and_no_others_do(service: str) -> None:
    pairs = OPPOSITES[service]
    expected = {one: {one, other} for pair in pairs for one, other in (pair, pair[::-1])}

    found = {
        event_type: set(subscription.superseded_by)
        for event_type, subscription in consumers_of(service).subscriptions.items()
        if len(subscription.superseded_by) > 1
    }

    assert found == expected
    assert published().keys() >= found.keys()
