"""News: nobody is told anything twice, nor anything of people with whom a block stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, LiteralString

from chaos.model.facts import Violation
from chaos.model.ground import Ground, broken, every
from chaos.model.registers import is_certainly

_TWICE: Final[LiteralString] = """
SELECT recipient_id::text, kind, actor_id::text, object_id::text, post_id::text, count(*) AS times
FROM social.notifications GROUP BY 1, 2, 3, 4, 5 HAVING count(*) > 1
"""
_LATER: Final[LiteralString] = """
SELECT recipient_id::text, read_until FROM social.notification_read_markers
"""


def notifications_differ(ground: Ground) -> Sequence[Violation]:
    """Check the stored news, what each person is shown, and how far they have read."""
    return [
        *broken("nobody is told twice", [*_twice(ground), *_shown_twice(ground)]),
        *broken("no news of people who are blocked", [*_of_blocked(ground)]),
        *broken("what was read stays read", [*_markers(ground)]),
    ]


def _twice(ground: Ground) -> Iterator[str]:
    for row in ground.rows(_TWICE):
        what = f"{row['kind']} of {row['actor_id']} ({row['object_id'] or row['post_id']})"
        yield f"{row['recipient_id']} was told {row['times']} times of {what}"


def _shown_twice(ground: Ground) -> Iterator[str]:
    for user_id, phone in ground.phones.items():
        entries = [*every(phone, "/v1/notifications")]
        ids = [entry["id"] for entry in entries]
        if len(ids) != len(set(ids)):
            yield f"{user_id} is shown an entry twice"
        for entry in entries:
            actors = [actor["id"] for actor in entry["actors"]]
            if len(actors) != len(set(actors)):
                yield f"{user_id} is shown somebody twice in entry {entry['id']}: {actors}"


def _of_blocked(ground: Ground) -> Iterator[str]:
    for user_id, phone in ground.phones.items():
        blocked = {
            other
            for other in ground.ledger.people
            if any(
                is_certainly(True, ground.ledger.blocks.get(pair, []), initial=False)
                for pair in ((user_id, other), (other, user_id))
            )
        }
        for row in every(phone, "/v1/notifications"):
            for actor in row["actors"]:
                if actor["id"] in blocked:
                    yield f"{user_id} is told of {actor['id']}, with whom a block stands"


def _markers(ground: Ground) -> Iterator[str]:
    """Check that a marker is where its owner was told that it is, or where they have asked it to be since."""
    stored = {row["recipient_id"]: row["read_until"] for row in ground.rows(_LATER)}
    for user_id, writes in ground.ledger.markers.items():
        told = [write.value for write in writes if write.acknowledged]
        if told and (user_id not in stored or stored[user_id] < max(told)):
            yield f"{user_id} has read until {max(told)}, the marker says {stored.get(user_id)}"
        if user_id in stored and stored[user_id] not in {
            write.value for write in writes if not write.refused
        }:
            yield f"{user_id} never read until {stored[user_id]}, as the marker says"
