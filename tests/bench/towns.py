"""Towns of any size for social's schema, written by COPY: the same rows for the same size."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

import psycopg
from psycopg.sql import SQL, Identifier

LINES_AT_ONCE: Final = 5_000
FOLLOWEES: Final = 20
FEED_ENTRIES: Final = 20
NEWS: Final = 10
TAGS: Final = 1_000
FIRST_POST: Final = datetime(2026, 1, 1, tzinfo=UTC)
SPAN: Final = timedelta(days=90)
CELEBRITY: Final = 1
MEDIUM: Final = "MEDIUM"
IMAGE: Final = (
    '[{"media_id": "MEDIUM", "width": 2048, "height": 1536, "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",'
    ' "dominant_color": "#a1b2c3", "alt_text": null, "renditions": {'
    '"thumb": {"width": 320, "height": 320, "content_type": "image/webp"},'
    ' "feed": {"width": 1080, "height": 810, "content_type": "image/webp"},'
    ' "full": {"width": 2048, "height": 1536, "content_type": "image/webp"}}}]'
)


@dataclass(frozen=True, kw_only=True)
class Town:
    """How large: ten posts a person, and one person whom everybody follows, whose last post everybody likes.

    Everything is derived from the row's number, so that there is no seed to keep. Ids are spaced like the
    UUIDv7 of people who joined, and posts that were made, one after the other.
    """

    posts: int
    people: int

    def posted_at(self, n: int) -> datetime:
        """Tell when a post was made; 1 is the first."""
        return FIRST_POST + n * (SPAN / self.posts)

    def author_of(self, n: int) -> int:
        """Tell who made a post."""
        return n % self.people + 1

    @property
    def popular_post(self) -> int:
        """The celebrity's last post."""
        return self.posts - self.posts % self.people


SMALL: Final = Town(posts=20_000, people=2_000)
LARGE: Final = Town(posts=1_000_000, people=100_000)


def person_id(n: int) -> str:
    """Write a person's id."""
    return f"01900000-0000-7000-8000-{n:012x}"


def post_id(n: int) -> str:
    """Write a post's id."""
    return f"01910000-0000-7000-8000-{n:012x}"


def build(database_url: str, town: Town, *, say: Callable[[str], None]) -> None:
    """Write a town into an empty schema, all or nothing, and say how long each table took.

    Args:
        database_url: of a role that may write to social's schema.
        town: how large.
        say: takes one line a table.
    """
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET search_path = social")
        with connection.transaction():
            for table, columns, lines in _tables(town):
                started = time.perf_counter()
                count = _copy(connection, table, columns, lines)
                say(f"{count:>10,} {table} in {time.perf_counter() - started:.1f} s")
        started = time.perf_counter()
        # The plans that tables of this age would have; fresh ones have no statistics yet.
        connection.execute("VACUUM ANALYZE")
        say(f"statistics in {time.perf_counter() - started:.1f} s")


def is_built(database_url: str, town: Town) -> bool:
    """Tell whether a town of this size is there already."""
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT FROM social.posts WHERE id = %s", (post_id(town.posts),)).fetchone()
    return row is not None


def _copy(connection: psycopg.Connection, table: str, columns: str, lines: Iterable[str]) -> int:
    statement = SQL("COPY {} ({}) FROM STDIN").format(
        Identifier(table), SQL(", ").join(Identifier(name) for name in columns.split())
    )
    cursor, rows = connection.cursor(), iter(lines)
    with cursor.copy(statement) as copy:
        while chunk := "".join(islice(rows, LINES_AT_ONCE)):
            copy.write(chunk)
    return cursor.rowcount


def _tables(town: Town) -> Iterator[tuple[str, str, Iterator[str]]]:
    yield (
        "profiles",
        "user_id username display_name follower_count following_count post_count public_post_count"
        " created_at updated_at",
        _profiles(town),
    )
    yield "relations", "from_user to_user relation_type created_at", _relations(town)
    yield (
        "posts",
        "id author_id caption visibility state images like_count comment_count tags created_at published_at"
        " rank_at",
        _posts(town),
    )
    yield "post_tags", "tag published_at post_id", _post_tags(town)
    yield "timeline", "owner_id published_at post_id author_id", _timeline(town)
    yield "likes", "post_id user_id created_at", _likes(town)
    yield "comments", "id post_id author_id text created_at", _comments(town)
    yield (
        "notification_groups",
        "id recipient_id kind latest_at actor_count",
        _groups(town),
    )
    yield (
        "notifications",
        "id recipient_id kind actor_id object_id post_id group_id created_at",
        _notifications(town),
    )


def _followees(town: Town, n: int) -> Iterator[int]:
    """List whom a person follows besides the celebrity: some near, some far, nobody twice."""
    for k in range(1, FOLLOWEES):
        followee = (n + k * k * 31) % town.people + 1
        if followee not in (n, CELEBRITY):
            yield followee


def _profiles(town: Town) -> Iterator[str]:
    followers = [0] * (town.people + 1)
    following = [0] * (town.people + 1)
    for n in range(1, town.people + 1):
        for followee in _followees(town, n):
            followers[followee] += 1
            following[n] += 1
    followers[CELEBRITY] = town.people - 1
    posts = town.posts // town.people
    for n in range(1, town.people + 1):
        follows = following[n] + (n != CELEBRITY)
        yield (
            f"{person_id(n)}\tperson_{n}\tPerson Number {n}\t{followers[n]}\t{follows}\t{posts}\t{posts}"
            f"\t{FIRST_POST}\t{FIRST_POST}\n"
        )


def _relations(town: Town) -> Iterator[str]:
    for n in range(1, town.people + 1):
        at = FIRST_POST + timedelta(seconds=n)
        if n != CELEBRITY:
            yield f"{person_id(n)}\t{person_id(CELEBRITY)}\tf\t{at}\n"
        for followee in _followees(town, n):
            yield f"{person_id(n)}\t{person_id(followee)}\tf\t{at}\n"


def _posts(town: Town) -> Iterator[str]:
    for n in range(1, town.posts + 1):
        at = town.posted_at(n)
        popular = n == town.popular_post
        likes = town.people - 1 if popular else _like_count(n)
        comments = town.people - 1 if popular else n % 2
        tags = f"{{snow,tag_{n % TAGS}}}" if n % 10 == 0 else "{}"
        yield (
            f"{post_id(n)}\t{person_id(town.author_of(n))}\tPost number {n} of the town\tpublic\tpublished"
            f"\t{IMAGE.replace(MEDIUM, _medium_id(n))}\t{likes}\t{comments}\t{tags}\t{at}\t{at}\t{at}\n"
        )


def _post_tags(town: Town) -> Iterator[str]:
    for n in range(10, town.posts + 1, 10):
        at = town.posted_at(n)
        yield f"snow\t{at}\t{post_id(n)}\n"
        yield f"tag_{n % TAGS}\t{at}\t{post_id(n)}\n"


def _timeline(town: Town) -> Iterator[str]:
    stride = town.posts // FEED_ENTRIES
    for owner in range(1, town.people + 1):
        for k in range(FEED_ENTRIES):
            n = k * stride + owner * 7 % stride + 1
            yield (f"{person_id(owner)}\t{town.posted_at(n)}\t{post_id(n)}\t{person_id(town.author_of(n))}\n")


def _like_count(n: int) -> int:
    return n % 4


def _likes(town: Town) -> Iterator[str]:
    for n in range(1, town.posts + 1):
        if n == town.popular_post:
            fans: Iterable[int] = range(2, town.people + 1)
        else:
            fans = ((town.author_of(n) + k * 97) % town.people + 1 for k in range(1, _like_count(n) + 1))
        for fan in fans:
            yield f"{post_id(n)}\t{person_id(fan)}\t{town.posted_at(n) + timedelta(seconds=fan)}\n"


def _comments(town: Town) -> Iterator[str]:
    number = 0
    for n in range(1, town.posts + 1):
        popular = n == town.popular_post
        writers: Iterable[int] = range(2, town.people + 1) if popular else range(2, 2 + n % 2)
        for writer in writers:
            number += 1
            yield (
                f"01930000-0000-7000-8000-{number:012x}\t{post_id(n)}\t{person_id(writer)}\tSo much snow!"
                f"\t{town.posted_at(n) + timedelta(seconds=writer)}\n"
            )


def _groups(town: Town) -> Iterator[str]:
    for recipient in range(1, town.people + 1):
        for k in range(NEWS):
            at = town.posted_at(_news_post(town, recipient, k))
            yield f"{_news_id(recipient, k)}\t{person_id(recipient)}\tlike\t{at}\t1\n"


def _notifications(town: Town) -> Iterator[str]:
    for recipient in range(1, town.people + 1):
        actor = person_id(recipient % town.people + 1)
        for k in range(NEWS):
            n = _news_post(town, recipient, k)
            news = _news_id(recipient, k)
            yield (
                f"{news}\t{person_id(recipient)}\tlike\t{actor}\t{post_id(n)}\t{post_id(n)}\t{news}"
                f"\t{town.posted_at(n)}\n"
            )


def _news_post(town: Town, recipient: int, k: int) -> int:
    return k * town.people + recipient


def _news_id(recipient: int, k: int) -> str:
    return f"01940000-0000-7000-8000-{recipient * NEWS + k:012x}"


def _medium_id(n: int) -> str:
    return f"01920000-0000-7000-8000-{n:012x}"
