"""How reads grow with the town: each one at 20,000 and at 1,000,000 posts, in stacks whose data are kept."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from bench.meter import Meter
from bench.scenarios import PAGE, Scenario, feed_deep_pages, get
from bench.towns import CELEBRITY, LARGE, SMALL, TAGS, Town, build, is_built, person_id, post_id
from igloo_local.console import Console
from igloo_local.phone import Phone
from igloo_local.stack import Stack

KEPT: Final = Path("report/bench-data")
REPORT: Final = Path("report/bench/growth.md")
GOAL: Final = 1.5
FOLLOWEES: Final = 500
DEEP_PAGE: Final = 20

# The measured reader follows people all over the town, and has the feed that fan-out would have made.
_CONNECT: Final = """
WITH followed AS (
    INSERT INTO relations (from_user, to_user, relation_type, created_at)
    SELECT %(reader)s, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'f', now()
    FROM generate_series(1, %(people)s, %(step)s) AS n
    RETURNING to_user
), counted AS (
    UPDATE profiles SET following_count = (SELECT count(*) FROM followed) WHERE user_id = %(reader)s
), told AS (
    INSERT INTO timeline (owner_id, published_at, post_id, author_id)
    SELECT %(reader)s, published_at, id, author_id FROM posts JOIN followed ON author_id = to_user
    RETURNING post_id
)
INSERT INTO bookmarks (user_id, post_id, created_at)
SELECT %(reader)s, post_id, now() FROM told LIMIT 500
"""


@dataclass(frozen=True, kw_only=True)
class Read:
    """One read: its name in the report, and the paths that it is made with, one after the other."""

    name: str
    paths: Callable[[Town], Iterator[str]]


def _same(path: str) -> Callable[[Town], Iterator[str]]:
    return lambda _: itertools.repeat(path)


def _of_people(path: str) -> Callable[[Town], Iterator[str]]:
    """Cycle through people all over the town."""
    return lambda town: (path.format(person_id(n * 7919 % town.people + 1)) for n in itertools.count(1))


def _of_posts(path: str) -> Callable[[Town], Iterator[str]]:
    return lambda town: (path.format(post_id(n * 7919 % town.posts + 1)) for n in itertools.count(1))


def _of_popular_post(path: str) -> Callable[[Town], Iterator[str]]:
    return lambda town: itertools.repeat(path.format(post_id(town.popular_post)))


READS: Final = (
    Read(name="home feed", paths=_same(f"/v1/feed?limit={PAGE}")),
    Read(name="profile with relationship", paths=_of_people("/v1/users/{}")),
    Read(name="a person's posts", paths=_of_people("/v1/users/{}/posts")),
    Read(name="the celebrity's followers", paths=_same(f"/v1/users/{person_id(CELEBRITY)}/followers")),
    Read(
        name="the celebrity's followers whom one follows",
        paths=_same(f"/v1/users/{person_id(CELEBRITY)}/followers?familiar=true"),
    ),
    Read(name="post", paths=_of_posts("/v1/posts/{}")),
    Read(name="likers of the post that everybody likes", paths=_of_popular_post("/v1/posts/{}/likes")),
    Read(name="comments where everybody comments", paths=_of_popular_post("/v1/posts/{}/comments")),
    Read(name="page of a tag on every tenth post", paths=_same("/v1/tags/snow/posts")),
    Read(name="page of a rare tag", paths=_same(f"/v1/tags/tag_{TAGS // 2}/posts")),
    Read(name="explore", paths=_same("/v1/explore")),
    Read(name="search by the beginning of a username", paths=_same("/v1/users?q=person_12")),
    Read(name="search by a word of a name", paths=_same("/v1/users?q=number%2077")),
    Read(name="suggestions", paths=_same("/v1/users/me/suggestions")),
    Read(name="relationships with 100 people", paths=lambda town: itertools.repeat(_relationships(town))),
    Read(name="bookmarks", paths=_same("/v1/users/me/bookmarks")),
    Read(name="notifications", paths=_same("/v1/notifications")),
    Read(name="unread count", paths=_same("/v1/notifications/unread-count")),
)


def _relationships(town: Town) -> str:
    people = "&".join(f"user_id={person_id(n * 13 % town.people + 1)}" for n in range(1, 101))
    return f"/v1/relationships?{people}"


def build_towns() -> None:
    """Build both towns unless they are there: `make bench-data`."""
    for town in (SMALL, LARGE):
        with _town_stack(town, broker="filesystem"):
            pass


def measure_growth(*, requests: int, broker: str) -> None:
    """Measure every read in both towns, and write the table with the ratios."""
    costs = {}
    for town in (SMALL, LARGE):
        with _town_stack(town, broker=broker) as stack:
            costs[town] = _measured(stack, town, requests=requests)
    table = _table(costs[SMALL], costs[LARGE])
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(table)
    print(table)


@contextmanager
def _town_stack(town: Town, *, broker: str) -> Iterator[Stack]:
    folder = KEPT / f"{town.posts}-posts"
    folder.mkdir(parents=True, exist_ok=True)
    with Stack(folder, broker=broker, console=Console(quiet=True)) as stack:
        database = stack.addresses.databases["superuser"]
        if not is_built(database, town):
            print(f"Building the town of {town.posts:,} posts.", flush=True)
            build(database, town, say=lambda line: print(f"  {line}", flush=True))
        yield stack


def _measured(stack: Stack, town: Town, *, requests: int) -> Mapping[str, float]:
    print(f"{town.posts:,} posts, {town.people:,} people:", flush=True)
    meter = Meter(stack)
    reader = meter.person("Reader")
    _connect(meter.database, reader, town)
    for read in READS:
        paths = itertools.islice(read.paths(town), requests)
        meter.measure(Scenario(work=read.name, requests=[get(reader, path) for path in paths]))
    meter.measure(feed_deep_pages(reader, DEEP_PAGE, requests))
    return {line.work: line.cpu_ms for line in meter.lines}


def _connect(database_url: str, reader: Phone, town: Town) -> None:
    parameters = {"reader": reader.user_id, "people": town.people, "step": town.people // FOLLOWEES}
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET search_path = social")
        connection.execute(_CONNECT, parameters)


def _table(small: Mapping[str, float], large: Mapping[str, float]) -> str:
    """Write a row a read, and whether it keeps to the goal."""
    head = f"| read | CPU-ms at {SMALL.posts:,} posts | at {LARGE.posts:,} | ratio (goal: ≤ {GOAL}) |"
    rows = [
        f"| {name} | {cost:.3f} | {large[name]:.3f} | {large[name] / cost:.2f}"
        f"{'' if large[name] <= GOAL * cost else ' ✗'} |"
        for name, cost in small.items()
    ]
    return "\n".join([head, "|---|---:|---:|---:|", *rows, ""])
