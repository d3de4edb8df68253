"""What the release before left behind, rows and events on their way, is taken up by this code."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from psycopg.sql import SQL, Identifier

from igloo_local.backups.restoring import restore
from igloo_local.console import Console
from igloo_local.parts.postgres import Postgres
from igloo_local.phone import Json, Phone, Refused, wait_until
from igloo_local.ports import free_port
from igloo_local.stack import Stack

pytestmark = pytest.mark.e2e

SAMPLE = max((Path(__file__).parent / "samples").iterdir())
TOLD: Json = json.loads((SAMPLE / "told.json").read_text())
IN_FLIGHT: Json = TOLD["in_flight"]

_WAITING = (
    "SELECT count(*) FROM {schema}.outbox WHERE published_at IS NULL",
    "SELECT count(*) FROM {schema}.inbox WHERE status = 'pending'",
)
_UNERASED = """
SELECT kind FROM social.account_tasks WHERE kind = 'erasure' AND finished_at IS NULL
UNION ALL SELECT kind FROM media.account_tasks WHERE kind = 'erasure' AND finished_at IS NULL
UNION ALL SELECT 'deletion' FROM auth.account_deletions WHERE completed_at IS NULL
"""
_TIMES = """
SELECT c.table_schema, c.table_name, array_agg(c.column_name::text) FROM information_schema.columns AS c
JOIN information_schema.tables AS t USING (table_schema, table_name)
WHERE c.table_schema IN ('auth', 'social', 'media') AND c.data_type = 'timestamp with time zone'
    AND t.table_type = 'BASE TABLE' AND (c.table_name, c.column_name) <> ('inbox', 'received_at')
GROUP BY 1, 2
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Restore the sample as if it had been taken just now, messages in the broker included, and start it."""
    folder = tmp_path_factory.mktemp("upgrade") / "stack"
    manifest = restore(SAMPLE, folder, console=Console(quiet=True))
    with Postgres(folder / "postgres") as postgres, postgres.connect(database="igloo") as connection:
        _as_if_taken_now(connection, manifest.taken_at)
    shutil.copytree(SAMPLE / "queues", folder / "broker" / "queues", dirs_exist_ok=True)
    with Stack(folder, broker="filesystem", gateway_port=free_port()) as running:
        yield running


@pytest.fixture(scope="module")
def phones(stack: Stack) -> dict[str, Phone]:
    """Give everybody the phone that they had, with the refresh token of then, once all has been applied."""
    found = {
        name: Phone(gateway=stack.addresses.gateway, refresh_token=person["refresh"])
        for name, person in TOLD["people"].items()
    }
    for phone in found.values():
        if TOLD["people"]["Narwhal"]["refresh"] != phone.refresh_token:
            phone.refresh()
    wait_until(lambda: waiting(stack), lambda rows: not rows, what="everything applied", timeout_seconds=60)
    return found


def rows(stack: Stack, query: str) -> list[Any]:
    assert stack.parts.postgres is not None
    with stack.parts.postgres.connect(database="igloo") as connection:
        return [row[0] for row in connection.execute(query.encode())]


def waiting(stack: Stack) -> int:
    counts = [
        rows(stack, statement.format(schema=schema))
        for schema in ("auth", "social", "media")
        for statement in _WAITING
    ]
    return sum(int(count) for [count] in counts) + len(messages(stack))


def messages(stack: Stack) -> list[Path]:
    return [*(stack.folder / "broker" / "queues").glob("*.events/[!.]*")]


def feed_of(phone: Phone) -> set[str]:
    return {post["id"] for post in phone.feed(limit=50)}


def test_refresh_tokens_of_then_keep_people_signed_in(phones: dict[str, Phone]) -> None:
    for name in ("Puffin", "Snow Hare", "Arctic Fox", "Walrus"):
        assert phones[name].call("GET", "/v1/users/me")["id"] == TOLD["people"][name]["id"]


def test_whoever_was_leaving_has_left(stack: Stack, phones: dict[str, Phone]) -> None:
    with pytest.raises(Refused):
        phones["Narwhal"].refresh()
    with pytest.raises(Refused, match="404"):
        phones["Puffin"].call("GET", f"/v1/users/{IN_FLIGHT['left']}")
    followers = phones["Puffin"].call("GET", f"/v1/users/{TOLD['people']['Puffin']['id']}/followers")["data"]
    assert [person["id"] for person in followers] == [TOLD["people"]["Snow Hare"]["id"]]
    wait_until(
        lambda: rows(stack, _UNERASED),
        lambda kinds: kinds == [],
        what="everything of whoever has left erased, and auth told",
    )


def test_posts_that_were_on_their_way_have_arrived_where_they_belong(phones: dict[str, Phone]) -> None:
    expected = {TOLD["post"], IN_FLIGHT["post"], IN_FLIGHT["with_photo"]}

    assert feed_of(phones["Snow Hare"]) == expected
    assert feed_of(phones["Puffin"]) == expected
    assert feed_of(phones["Arctic Fox"]) == set()


def test_counts_and_news_are_those_of_each_event_once(stack: Stack, phones: dict[str, Phone]) -> None:
    puffin = phones["Puffin"]
    posts = {post["id"]: post for post in puffin.feed()}

    assert (posts[TOLD["post"]]["like_count"], posts[TOLD["post"]]["comment_count"]) == (2, 1)
    assert posts[IN_FLIGHT["post"]]["like_count"] == 1
    assert puffin.call("GET", "/v1/users/me")["post_count"] == 3
    twice = """
        SELECT count(*) FROM social.notifications GROUP BY recipient_id, kind, actor_id, object_id, post_id
        HAVING count(*) > 1
    """
    assert rows(stack, twice) == []
    likes = [entry for entry in puffin.call("GET", "/v1/notifications")["data"] if entry["kind"] == "like"]
    assert IN_FLIGHT["post"] in {entry["post_id"] for entry in likes}


def test_photos_of_then_are_shown_under_addresses_of_now(stack: Stack, phones: dict[str, Phone]) -> None:
    for post_id, photos in ((TOLD["post"], 2), (IN_FLIGHT["with_photo"], 1)):
        images = phones["Snow Hare"].call("GET", f"/v1/posts/{post_id}")["images"]
        found = [requests.get(image["renditions"]["full"]["url"], timeout=10) for image in images]
        assert [reply.headers["Content-Type"] for reply in found] == ["image/webp"] * photos
    path = TOLD["photo"].split("/", 3)[3]
    assert requests.get(f"{stack.addresses.gateway}/{path}", timeout=10).status_code == 403


@pytest.mark.parametrize(
    ("path", "name"),
    [("/v1/users/{puffin}/followers?cursor=", "cursor"), ("/v1/feed/changes?since=", "changes_since")],
)
def test_cursors_of_then_begin_anew_by_a_documented_refusal(
    phones: dict[str, Phone], path: str, name: str
) -> None:
    with pytest.raises(Refused) as refused:
        phones["Snow Hare"].call("GET", path.format(puffin=TOLD["people"]["Puffin"]["id"]) + TOLD[name])

    assert (refused.value.status, refused.value.code) == (400, "invalid_cursor")


def test_what_was_dead_or_parked_still_waits_for_somebody_to_decide(
    stack: Stack, phones: dict[str, Phone]
) -> None:
    assert phones
    assert rows(stack, "SELECT last_error FROM social.inbox WHERE status = 'dead'") == [
        "KeyError: 'account_id'"
    ]
    assert rows(stack, "SELECT reason FROM social.parked_messages") == ["not JSON"]


def test_people_go_on_from_there(phones: dict[str, Phone]) -> None:
    post = phones["Puffin"].post("Good morning")

    wait_until(
        lambda: feed_of(phones["Snow Hare"]), lambda ids: post["id"] in ids, what="the new post in the feed"
    )


def _as_if_taken_now(connection: psycopg.Connection, taken_at: str) -> None:
    """Move all times, or the sample would be too old some day: tokens expire, and old events are pruned."""
    connection.execute("SET session_replication_role = replica")
    for schema, table, columns in connection.execute(_TIMES).fetchall():
        moved = SQL(", ").join(
            SQL("{0} = {0} + (now() - {1}::timestamptz)").format(Identifier(column), taken_at)
            for column in columns
        )
        connection.execute(SQL("UPDATE {}.{} SET {}").format(Identifier(schema), Identifier(table), moved))
