"""The people who read a town while it is measured: known to many, with feeds and news of their own."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import psycopg

from bench.meter import Meter
from bench.town_database import connected
from bench.towns import POPULAR, Town
from igloo_local.phone import Phone

FOLLOWEES: Final = 500
NEWS: Final = 500
NEW_POSTS: Final = 20
_PERSON: Final = "('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"

# The measured reader follows people all over the town, and has the feed that fan-out would have made.
_CONNECT: Final = f"""
WITH followed AS (
    INSERT INTO relations (from_user, to_user, relation_type, created_at)
    SELECT %(reader)s, {_PERSON}, 'f', now() FROM generate_series(%(first)s::int, %(people)s, %(step)s) AS n
    RETURNING to_user
), counted AS (
    UPDATE profiles SET following_count = (SELECT count(*) FROM followed) WHERE user_id = %(reader)s
), told AS (
    INSERT INTO timeline (owner_id, published_at, post_id, author_id)
    SELECT %(reader)s, published_at, id, author_id FROM posts JOIN followed ON author_id = to_user
    RETURNING post_id
), kept AS (
    INSERT INTO bookmarks (user_id, post_id, created_at) SELECT %(reader)s, post_id, now() FROM told LIMIT 500
), found AS (
    INSERT INTO facebook_friends (user_id, friend_id, found_at)
    SELECT %(reader)s, {_PERSON}, now()
    FROM generate_series(%(first)s::int + 1, %(people)s, %(step)s * 10) AS n
), grouped AS (
    INSERT INTO notification_groups (id, recipient_id, kind, latest_at, actor_count)
    SELECT gen_random_uuid(), %(reader)s, 'follow', now() - n * interval '1 minute', 1
    FROM generate_series(1, %(news)s) AS n
    RETURNING id, latest_at
)
INSERT INTO notifications (id, recipient_id, kind, actor_id, group_id, created_at)
SELECT gen_random_uuid(), %(reader)s, 'follow', {_PERSON}, id, latest_at
FROM (SELECT id, latest_at, row_number() OVER () + %(first)s::int AS n FROM grouped) AS news
"""  # noqa: S608 - words of our own

# Some of those whom nobody's feed is written by any more.
_MERGE: Final = f"""
INSERT INTO relations (from_user, to_user, relation_type, created_at, is_merged)
SELECT %(reader)s, {_PERSON}, 'f', now(), true FROM generate_series(1, %(popular)s) AS n
"""  # noqa: S608 - as above

# What a phone has to look at again: posts that have come out just now, and as many that were changed.
_NEW_POSTS: Final = """
WITH followed AS (
    SELECT to_user FROM relations WHERE from_user = %(reader)s AND relation_type = 'f' AND NOT is_merged
    LIMIT %(count)s
), posted AS (
    INSERT INTO posts (id, author_id, caption, visibility, state, created_at, published_at, rank_at)
    SELECT gen_random_uuid(), to_user, 'News', 'public', 'published', now(), now(), now() FROM followed
    RETURNING id, author_id, published_at
), changed AS (
    INSERT INTO feed_changes (owner_id, changed_at, subject_id, kind)
    SELECT %(reader)s, now(), post_id, 'p' FROM
        (SELECT post_id FROM timeline WHERE owner_id = %(reader)s LIMIT %(count)s) AS entry
)
INSERT INTO timeline (owner_id, published_at, post_id, author_id)
SELECT %(reader)s, published_at, id, author_id FROM posted
"""
# Those of everybody else, which no reader's page may cost anything for.
_CHANGES_OF_OTHERS: Final = """
INSERT INTO feed_changes (owner_id, changed_at, subject_id, kind)
SELECT owner_id, now() - interval '1 hour', post_id, 'p' FROM timeline LIMIT %(people)s
ON CONFLICT DO NOTHING
"""


# Of the popular, whose posts are in nobody's feed to be changed there.
_CHANGES_OF_POPULAR: Final = """
INSERT INTO post_changes (author_id, changed_at, post_id)
SELECT author_id, now() - n * interval '1 minute', posts.id
FROM posts JOIN profiles ON user_id = author_id, generate_series(1, %(people)s / 200) AS n
WHERE merged_at_read
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, kw_only=True)
class Readers:
    """Who measures: one who follows ordinary people, a fan of popular ones, and a moderator."""

    reader: Phone
    fan: Phone
    moderator: Phone
    changes_since: str
    """The reader's token from before the last posts in their feed."""


def settle_in(meter: Meter, town: Town) -> Readers:
    """Have the readers sign in, and give them what people of some months have."""
    reader, fan, moderator = (meter.person(name) for name in ("Reader", "Fan", "Moderator"))
    with connected(meter.database) as connection:
        for phone in (reader, fan):
            give_history(connection, phone.user_id, town)
        follow_popular(connection, fan.user_id)
        connection.execute("UPDATE auth.accounts SET is_moderator = true WHERE id = %s", [moderator.user_id])
        changes_since = reader.call("GET", "/v1/feed/changes")["next_since"]
        give_changes(connection, reader.user_id, town)
        connection.execute("VACUUM ANALYZE")
    moderator.refresh()
    return Readers(reader=reader, fan=fan, moderator=moderator, changes_since=changes_since)


def give_history(connection: psycopg.Connection, user_id: UUID | None, town: Town) -> None:
    """Give a person followees all over the town, their feed, bookmarks, Facebook friends and news."""
    parameters = {
        "reader": user_id,
        "people": town.people,
        "first": POPULAR + 1,
        "step": max(1, town.people // FOLLOWEES),
        "news": NEWS,
    }
    connection.execute(_CONNECT, parameters)


def follow_popular(connection: psycopg.Connection, user_id: UUID | None) -> None:
    """Have a person follow the popular, whose posts are merged into the feed."""
    connection.execute(_MERGE, {"reader": user_id, "popular": POPULAR})


def give_changes(connection: psycopg.Connection, user_id: UUID | None, town: Town) -> None:
    """Have posts come into a person's feed, and others change in it, among what changes for everybody."""
    for others in (_CHANGES_OF_OTHERS, _CHANGES_OF_POPULAR):
        connection.execute(others, {"people": town.people})
    connection.execute(_NEW_POSTS, {"reader": user_id, "count": NEW_POSTS})
