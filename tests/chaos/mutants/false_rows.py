"""Falsehoods that are told to the database: one changed row for each promise about rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import LiteralString

from chaos.model.check_events import events_differ
from chaos.model.check_lists import lists_differ
from chaos.model.check_notifications import notifications_differ
from chaos.model.check_rows import rows_differ
from chaos.model.check_views import views_differ
from chaos.model.checker import Check
from chaos.model.ground import Ground
from chaos.mutants.falsehoods import (
    ANNOUNCED,
    COUNTS,
    FAMILIES,
    NONE_DEAD,
    NOT_IN_FEEDS,
    NOT_TOLD,
    NUMBERED,
    READ,
    TOLD,
    TOLD_ONCE,
    VIEWS,
    Falsehood,
)

# What a statement means by a word in angle brackets.
_ONE: Mapping[LiteralString, LiteralString] = {
    "<post>": "(SELECT max(id::text)::uuid FROM social.posts WHERE deleted_at IS NULL)",
    "<person>": "(SELECT max(user_id::text)::uuid FROM social.profiles)",
    "<usage>": "(SELECT max(ctid) FROM media.owner_usage)",
    "<event>": """
        (SELECT i.event_id FROM social.inbox AS i JOIN social.outbox AS o USING (event_id)
        WHERE o.type = 'social.post.published.v1' ORDER BY o.id LIMIT 1)
    """,
}
_ROWS: Sequence[tuple[str, Check, Sequence[str], str, LiteralString]] = (
    ("a like too many", lists_differ, [COUNTS], "likes of post",
     "UPDATE social.posts SET like_count = like_count + 1 WHERE id = <post>"),
    ("a comment too many", lists_differ, [COUNTS], "comments of post",
     "UPDATE social.posts SET comment_count = comment_count + 1 WHERE id = <post>"),
    ("a follower too many", lists_differ, [COUNTS], "followers of",
     "UPDATE social.profiles SET follower_count = follower_count + 1 WHERE user_id = <person>"),
    ("a followee too many", lists_differ, [COUNTS], "followees of",
     "UPDATE social.profiles SET following_count = following_count + 1 WHERE user_id = <person>"),
    ("a post too many", lists_differ, [COUNTS], "posts of",
     "UPDATE social.profiles SET post_count = post_count + 1 WHERE user_id = <person>"),
    ("a public post too many", lists_differ, [COUNTS], "public posts of",
     "UPDATE social.profiles SET public_post_count = public_post_count + 1 WHERE user_id = <person>"),
    ("a photo too many", lists_differ, [COUNTS], "ready photos of",
     "UPDATE media.owner_usage SET photos = photos + 1 WHERE ctid = <usage>"),
    ("a byte too many", rows_differ, [COUNTS], "bytes of",
     "UPDATE media.owner_usage SET stored_bytes = stored_bytes + 1"
     " WHERE ctid = <usage>"),
    ("somebody too many in a group of news", rows_differ, [COUNTS], "people in news",
     "UPDATE social.notification_groups SET actor_count = actor_count + 1"
     " WHERE id = (SELECT max(id::text)::uuid FROM social.notification_groups)"),
    ("a follow that was never told", rows_differ, [TOLD, COUNTS], "was never told of the follow",
     "DELETE FROM social.notifications WHERE id ="
     " (SELECT id FROM social.notifications WHERE kind = 'follow' ORDER BY created_at DESC LIMIT 1)"),
    ("a like that was told and never given", rows_differ, [NOT_TOLD], "which is no more",
     "INSERT INTO social.notifications (id, recipient_id, kind, actor_id, object_id, created_at)"
     " SELECT gen_random_uuid(), recipient_id, 'like', actor_id, gen_random_uuid(), now()"
     " FROM social.notifications WHERE kind = 'follow' LIMIT 1"),
    ("a post that is kept twice", rows_differ, [NOT_IN_FEEDS], "is kept 2 times for",
     "INSERT INTO social.timeline (owner_id, published_at, post_id, author_id)"
     " SELECT owner_id, published_at + interval '1 second', post_id, author_id FROM social.timeline"
     " WHERE owner_id = author_id AND post_id = <post>"),
    ("a family with two ends", rows_differ, [FAMILIES], "has 2 tokens that were not exchanged",
     "UPDATE auth.refresh_tokens SET rotated_at = NULL, successor_id = NULL WHERE id ="
     " (SELECT id FROM auth.refresh_tokens WHERE rotated_at IS NOT NULL ORDER BY rotated_at DESC LIMIT 1)"),
    ("a ready photo that nobody was told of", rows_differ, [ANNOUNCED, NUMBERED], "which was never announced",
     "DELETE FROM media.outbox WHERE id ="
     " (SELECT max(id) FROM media.outbox WHERE type = 'media.item.ready.v1')"),
    ("an account that nobody was told of", rows_differ, [ANNOUNCED, NUMBERED], "account ",
     "DELETE FROM auth.outbox WHERE id ="
     " (SELECT max(id) FROM auth.outbox WHERE type = 'auth.account.created.v1')"),
    ("the end of a session that nobody was told of", rows_differ, [ANNOUNCED, NUMBERED], "the end of session",
     "DELETE FROM auth.outbox WHERE id ="
     " (SELECT max(id) FROM auth.outbox WHERE type = 'auth.session.revoked.v1')"),
    ("a key that has lost its last event", rows_differ, [NUMBERED], "were numbered",
     "UPDATE social.event_sequences SET sequence = sequence + 1 WHERE aggregate_key ="
     " (SELECT max(aggregate_key) FROM social.event_sequences)"),
    ("a post that nobody was told of", events_differ, [ANNOUNCED], "was never announced",
     "DELETE FROM social.outbox WHERE id ="
     " (SELECT max(id) FROM social.outbox WHERE type = 'social.post.published.v1')"),
    ("a gap between the events of a key", events_differ, [NUMBERED], "numbered up to",
     "UPDATE social.outbox SET sequence = sequence + 1 WHERE id = (SELECT max(id) FROM social.outbox)"),
    ("an event that never arrived", events_differ, [READ], "never reached social",
     "DELETE FROM social.inbox WHERE event_id = <event>"),
    ("an event that was not applied", events_differ, [READ], "is ['pending'] at social",
     "UPDATE social.inbox SET status = 'pending', next_attempt_at = 'infinity' WHERE event_id = <event>"),
    ("an event that is dead", events_differ, [READ, NONE_DEAD], "is dead at social",
     "UPDATE social.inbox SET status = 'dead' WHERE event_id = <event>"),
    ("a parked message", events_differ, [NONE_DEAD], "1 messages are parked at auth: no event",
     "INSERT INTO auth.parked_messages (body, reason, received_at) VALUES ('', 'no event', now())"),
)  # fmt: skip

# What people are shown is read by the services, who do not see a transaction that never ends.
_SEEN: Sequence[tuple[str, Check, Sequence[str], str, LiteralString, LiteralString]] = (
    ("a follower too many that is shown", lists_differ, [COUNTS], "has follower_count",
     "UPDATE social.profiles SET follower_count = follower_count + 1",
     "UPDATE social.profiles SET follower_count = follower_count - 1"),
    ("a like too many that is shown", views_differ, [VIEWS], "likes of post",
     "UPDATE social.posts SET like_count = like_count + 1",
     "UPDATE social.posts SET like_count = like_count - 1"),
    ("a follow that was told twice", notifications_differ, [TOLD_ONCE], "was told 2 times of follow",
     "ALTER TABLE social.notifications DROP CONSTRAINT uq_notifications_recipient_id_kind_actor_id_object_id;"
     " INSERT INTO social.notifications (id, recipient_id, kind, actor_id, group_id, created_at)"
     " SELECT gen_random_uuid(), recipient_id, kind, actor_id, group_id, now() FROM social.notifications"
     " WHERE id = (SELECT max(id::text)::uuid FROM social.notifications WHERE kind = 'follow')",
     "DELETE FROM social.notifications AS a USING social.notifications AS b WHERE a.kind = 'follow'"
     " AND b.kind = 'follow' AND a.recipient_id = b.recipient_id AND a.actor_id = b.actor_id"
     " AND a.created_at > b.created_at;"
     " ALTER TABLE social.notifications ADD CONSTRAINT uq_notifications_recipient_id_kind_actor_id_object_id"
     " UNIQUE NULLS NOT DISTINCT (recipient_id, kind, actor_id, object_id)"),
)  # fmt: skip


def false_rows() -> Iterator[Falsehood]:
    """Yield them all."""
    for name, check, promises, words, statement in _ROWS:
        yield Falsehood(
            name=name, check=check, promises=frozenset(promises), words=words, tell=_changing_one(statement)
        )
    for name, check, promises, words, statement, undo in _SEEN:
        yield Falsehood(
            name=name,
            check=check,
            promises=frozenset(promises),
            words=words,
            tell=_changing(statement),
            undo=undo,
        )


def _changing(statement: LiteralString) -> Callable[[Ground], object]:
    return lambda ground: ground.connection.execute(statement)


def _changing_one(statement: LiteralString) -> Callable[[Ground], object]:
    for word, meaning in _ONE.items():
        statement = statement.replace(word, meaning)

    def tell(ground: Ground) -> None:
        changed = ground.connection.execute(statement).rowcount
        if changed != 1:
            raise AssertionError(f"{changed} rows were changed instead of one: {statement}")

    return tell
