"""Fills social's schema with a town of people and posts, by SQL: the same rows, in seconds."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

PEOPLE = 6_000
AUTHORS = 1_000
POSTS = 20_000
FOLLOWERS_OF_THE_WRITER = 50

# Everything is derived from the row's number: the same dataset on every run, with no random seed to keep.
# Ids are spaced like the UUIDv7 of people who joined one after the other: indexes look as they do in life.
_PREPARE = """
CREATE FUNCTION pg_temp.person(n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql
RETURN ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid;
CREATE FUNCTION pg_temp.post(n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql
RETURN ('01910000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid;
CREATE FUNCTION pg_temp.medium(n bigint) RETURNS text IMMUTABLE LANGUAGE sql
RETURN '01920000-0000-7000-8000-' || lpad(to_hex(n), 12, '0');
"""

_PEOPLE = """
INSERT INTO profiles (user_id, username, display_name, created_at, updated_at)
SELECT pg_temp.person(n), 'person_' || n, 'Person ' || n, now() - interval '90 days', now()
FROM generate_series(1, %(people)s) AS n
"""

_POSTS = """
INSERT INTO posts (id, author_id, caption, visibility, state, images, like_count, created_at, published_at)
SELECT pg_temp.post(n), pg_temp.person(n %% %(authors)s + 1), 'Post number ' || n || ' of the town',
       'public', 'published', replace(%(images)s, %(medium)s, pg_temp.medium(n))::json, n %% 40, at, at
FROM generate_series(1, %(posts)s) AS n, LATERAL (SELECT now() - (%(posts)s - n) * interval '2 minutes' AS at)
"""

_FOLLOWEES = """
WITH followed AS (
    INSERT INTO relations (from_user, to_user, relation_type, created_at)
    SELECT %(reader)s, pg_temp.person(n), 'f', now() FROM generate_series(1, %(count)s) AS n
    RETURNING to_user
)
INSERT INTO timeline (owner_id, published_at, post_id, author_id)
SELECT %(reader)s, p.published_at, p.id, p.author_id FROM posts AS p JOIN followed ON p.author_id = to_user
"""

_FOLLOWERS = """
INSERT INTO relations (from_user, to_user, relation_type, created_at)
SELECT pg_temp.person(n), %(writer)s, 'f', now() FROM generate_series(1, %(count)s) AS n
"""

_UNFINISHED = """
SELECT (SELECT count(*) FROM auth.outbox WHERE published_at IS NULL)
     + (SELECT count(*) FROM social.outbox WHERE published_at IS NULL)
     + (SELECT count(*) FROM media.outbox WHERE published_at IS NULL)
     + (SELECT count(*) FROM social.inbox WHERE status = 'pending')
     + (SELECT count(*) FROM media.inbox WHERE status = 'pending')
"""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A signed-in person who is to follow so many of the town's people."""

    user_id: str
    followees: int


@dataclass(frozen=True, kw_only=True)
class Illustration:
    """What a post keeps of a real image; every post of the town gets it, under an id of its own."""

    media_id: str
    images: str


def fill(database_url: str, *, readers: Sequence[Reader], writer: str, illustration: Illustration) -> None:
    """Write the town and connect the measured people to it.

    Args:
        database_url: of the role that owns social's schema.
        readers: people who sign in and read; each gets followees and the timeline that fan-out would write.
        writer: a person who gets `FOLLOWERS_OF_THE_WRITER` followers.
        illustration: the image of each post.
    """
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET search_path = social")
        with connection.transaction():
            connection.execute(_PREPARE)
            connection.execute(_PEOPLE, {"people": PEOPLE})
            image = {"images": illustration.images, "medium": illustration.media_id}
            connection.execute(_POSTS, {"authors": AUTHORS, "posts": POSTS, **image})
            for reader in readers:
                connection.execute(_FOLLOWEES, {"reader": reader.user_id, "count": reader.followees})
            connection.execute(_FOLLOWERS, {"writer": writer, "count": FOLLOWERS_OF_THE_WRITER})
        # The plans that a table of this age would have; a fresh one has no statistics yet.
        connection.execute("VACUUM ANALYZE")


def illustration_of(database_url: str, post_id: str) -> Illustration:
    """Read what a real post keeps of its one image."""
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute("SET search_path = social")
        row = connection.execute("SELECT images::text FROM posts WHERE id = %s", (post_id,)).fetchone()
    if row is None:
        message = f"post {post_id} is not in the database"
        raise LookupError(message)
    return Illustration(media_id=json.loads(row[0])[0]["media_id"], images=row[0])


def unfinished_events(database_url: str) -> int:
    """Count the events of all services that are still on their way."""
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        row = connection.execute(_UNFINISHED).fetchone()
    return 0 if row is None else int(row[0])
