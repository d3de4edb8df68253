"""The backup and restore drill: what people were told before the backup began is there afterwards, once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from factories.photos import jpeg
from igloo_local.backups.backing_up import back_up
from igloo_local.backups.manifest import Manifest
from igloo_local.backups.restoring import restore
from igloo_local.console import Console
from igloo_local.phone import Phone, Refused, facebook_token, wait_until
from igloo_local.ports import free_port
from igloo_local.settings import inherited_environment
from igloo_local.stack import Stack

# Two stacks start one after the other: on a machine that is busy with others that takes its time.
pytestmark = pytest.mark.timeout(300)

SCHEMAS = ("auth", "social", "media")


@dataclass(kw_only=True)
class Drill:
    """What people were told, by the time at which the backup began, and what became of it."""

    puffin: Phone
    hare: Phone
    fox: Phone
    posts: list[str] = field(default_factory=list)
    """Of Puffin, whom the others follow."""
    comments: list[str] = field(default_factory=list)
    """Of Hare, below the first post."""
    written_meanwhile: list[str] = field(default_factory=list)
    news: list[dict[str, Any]] = field(default_factory=list)
    cursor: str = ""
    at_facebook: dict[str, str] = field(default_factory=dict)
    """What Facebook's SDK on each person's phone holds, by the person's id."""
    in_flight: dict[str, int] = field(default_factory=dict)
    schema: list[tuple[object, ...]] = field(default_factory=list)
    manifest: Manifest | None = None
    restored: Stack | None = None

    @property
    def phones(self) -> list[Phone]:
        """Everybody's."""
        return [self.puffin, self.hare, self.fox]


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    """Back up a stack in which everything is under way, lose it, and start what was restored."""
    folder = tmp_path_factory.mktemp("drill")
    with Stack(folder / "lost", broker="filesystem", gateway_port=free_port()) as stack:
        drill = told_people(stack)
        leave_in_flight(stack, drill)
        drill.in_flight = left_in_flight(stack)
        drill.schema = schema_of(stack)
        drill.manifest = backed_up_beside_writes(stack, drill, folder / "backup")
        stack.kill()
    target = folder / "restored"
    target.mkdir()
    restore(folder / "backup", target, console=Console(quiet=True))
    with Stack(target, broker="filesystem", gateway_port=free_port()) as restored:
        drill.restored = restored
        for phone in drill.phones:
            phone.gateway = restored.addresses.gateway
        with pytest.raises(Refused) as refused:
            drill.puffin.feed()
        assert refused.value.status == 401, "the signing keys are new"
        for phone in drill.phones:
            phone.refresh()
        yield drill


def told_people(stack: Stack) -> Drill:
    """Have three people do things, until everything has been applied."""
    phones, at_facebook = [], {}
    for name in ("Puffin", "Snow Hare", "Arctic Fox"):
        phone = Phone(gateway=stack.addresses.gateway)
        token = facebook_token(stack.addresses.facebook, stack.addresses.facebook_app_id, name)
        phone.sign_in(token)
        phones.append(phone)
        at_facebook[str(phone.user_id)] = token
    drill = Drill(puffin=phones[0], hare=phones[1], fox=phones[2], at_facebook=at_facebook)
    for reader in (drill.hare, drill.fox):
        reader.relate("PUT", drill.puffin.user_id, "follow")
    drill.posts.append(
        drill.puffin.post("Two from the ice", drill.puffin.upload([jpeg(96, 64), jpeg(64, 96)]))["id"]
    )
    drill.posts.append(drill.puffin.post("And words")["id"])
    for reader in (drill.hare, drill.fox):
        wait_for_feed(reader, drill.posts)
    drill.hare.call("PUT", f"/v1/posts/{drill.posts[0]}/like")
    drill.comments.append(comment(drill, "how cold"))
    drill.news = told_of(drill.puffin, {"follow", "like"})
    page = drill.fox.call("GET", "/v1/feed?limit=1")["page"]
    drill.cursor = page["next_cursor"]
    return drill


def leave_in_flight(stack: Stack, drill: Drill) -> None:
    """Leave events in the social service's inbox, in its queue, and in its outbox."""
    puffin, worker = drill.puffin, stack.processes["social-worker"]
    first, second = (begun_upload(puffin, seed) for seed in (1, 2))
    for number, upload in enumerate((first, second)):
        drill.posts.append(puffin.post(f"under way {number}", [upload["media_id"]])["id"])
    with psycopg.connect(superuser(stack)) as holding:
        # Received, and not applied: who applies waits for this lock.
        holding.execute("LOCK TABLE social.media_items IN ACCESS EXCLUSIVE MODE")
        complete(puffin, first, seed=1)
        wait_until(lambda: count(stack, IN_FLIGHT["inbox"]), bool, what="the photo in the inbox")
        worker.wanted = False
        worker.kill()
        wait_until(lambda: worker.running, lambda running: not running, what="the worker's end")
    complete(puffin, second, seed=2)
    wait_until(lambda: count(stack, IN_FLIGHT["queue"]), bool, what="the photo in the queue")
    drill.posts.append(puffin.post("nobody has heard of this one")["id"])
    drill.comments.append(comment(drill, "nor of this"))


IN_FLIGHT = {
    "inbox": "SELECT count(*) FROM social.inbox WHERE status = 'pending'",
    "queue": "SELECT count(*) FROM media.outbox WHERE published_at IS NOT NULL"
    " AND type = 'media.item.ready.v1' AND event_id NOT IN (SELECT event_id FROM social.inbox)",
    "outbox": "SELECT count(*) FROM social.outbox WHERE published_at IS NULL",
}


def left_in_flight(stack: Stack) -> dict[str, int]:
    return {name: count(stack, sql) for name, sql in IN_FLIGHT.items()}


def backed_up_beside_writes(stack: Stack, drill: Drill, folder: Path) -> Manifest:
    """Take a backup while Hare comments without a pause."""
    over, first_written = threading.Event(), threading.Event()

    def write() -> None:
        while not over.is_set():
            drill.written_meanwhile.append(comment(drill, f"number {len(drill.written_meanwhile)}"))
            first_written.set()

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        assert first_written.wait(30), "nobody could write"
        drill.comments += drill.written_meanwhile[:1]
        return back_up(stack.folder, folder)
    finally:
        over.set()
        writer.join()


def begun_upload(phone: Phone, seed: int) -> dict[str, Any]:
    file = {"content_type": "image/jpeg", "size_bytes": len(jpeg(80, 60, seed=seed))}
    upload: dict[str, Any] = phone.call("POST", "/v1/uploads", json={"files": [file]})["data"][0]
    return upload


def complete(phone: Phone, upload: dict[str, Any], *, seed: int) -> None:
    phone.send_to_s3(upload["target"], jpeg(80, 60, seed=seed))
    phone.call("POST", f"/v1/uploads/{upload['id']}/complete")


def comment(drill: Drill, text: str) -> str:
    made = drill.hare.call("POST", f"/v1/posts/{drill.posts[0]}/comments", json={"text": text})
    return str(made["id"])


def wait_for_feed(phone: Phone, posts: list[str]) -> list[dict[str, Any]]:
    wanted = Counter(posts)
    return wait_until(
        phone.feed, lambda feed: Counter(post["id"] for post in feed) == wanted, what=f"{posts} in the feed"
    )


def superuser(stack: Stack) -> str:
    return str(stack.addresses.databases["superuser"]).replace("postgresql+psycopg:", "postgresql:", 1)


def count(stack: Stack, sql: str) -> int:
    with psycopg.connect(superuser(stack)) as connection:
        [(number,)] = connection.execute(sql).fetchall()
    return int(number)


def schema_of(stack: Stack) -> list[tuple[object, ...]]:
    """Read tables, views, sequences and indexes with owners and privileges, and triggers and constraints."""
    with psycopg.connect(superuser(stack)) as connection:
        return connection.execute(SCHEMA, {"schemas": list(SCHEMAS)}).fetchall()


SCHEMA = """
SELECT relnamespace::regnamespace::text, relname, relkind::text, relowner::regrole::text,
    relpersistence::text, array(SELECT unnest(relacl)::text ORDER BY 1)::text
FROM pg_class WHERE relnamespace::regnamespace::text = ANY(%(schemas)s)
UNION ALL
SELECT tgrelid::regclass::text, tgname, 'trigger', pg_get_triggerdef(pg_trigger.oid), tgenabled::text, ''
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE relnamespace::regnamespace::text = ANY(%(schemas)s) AND NOT tgisinternal
UNION ALL
SELECT conrelid::regclass::text, conname, 'constraint', contype::text, convalidated::text, ''
FROM pg_constraint WHERE connamespace::regnamespace::text = ANY(%(schemas)s)
UNION ALL
SELECT pronamespace::regnamespace::text, oid::regprocedure::text, 'function', proowner::regrole::text, '',
    array(SELECT unnest(proacl)::text ORDER BY 1)::text
FROM pg_proc WHERE pronamespace::regnamespace::text = ANY(%(schemas)s)
UNION ALL
SELECT nspname, '', 'schema', nspowner::regrole::text, '', array(SELECT unnest(nspacl)::text ORDER BY 1)::text
FROM pg_namespace WHERE nspname = ANY(%(schemas)s)
UNION ALL
SELECT defaclnamespace::regnamespace::text, defaclobjtype::text, 'default', defaclrole::regrole::text, '',
    array(SELECT unnest(defaclacl)::text ORDER BY 1)::text
FROM pg_default_acl
ORDER BY 1, 2, 3, 4, 5, 6
"""


def flask(stack: Stack, service: str, *words: str) -> int:
    """Run a flask command as a service, and return its exit status."""
    environment = json.loads((stack.folder / service / "environment.json").read_text())
    return subprocess.run(  # noqa: S603 - fixed words
        [sys.executable, "-m", "flask", "--app", f"igloo_{service}.app", *words],
        env={**inherited_environment(), **environment},
        capture_output=True,
        check=False,
    ).returncode


def told_of(phone: Phone, kinds: set[str]) -> list[dict[str, Any]]:
    """Read the notifications of some kinds, without what is signed anew for each reading."""
    shown = ("id", "kind", "actor_count", "post_id", "created_at")
    news = [entry for entry in all_of(phone, "/v1/notifications") if entry["kind"] in kinds]
    return [{name: entry.get(name) for name in shown} for entry in news]


def all_of(phone: Phone, path: str) -> list[dict[str, Any]]:
    """Read a list to its end."""
    found, cursor = [], ""
    while True:
        page = phone.call("GET", f"{path}?limit=100{cursor}")
        found += page["data"]
        if not page["page"]["next_cursor"]:
            return found
        cursor = f"&cursor={page['page']['next_cursor']}"


def test_the_backup_was_taken_with_events_in_outbox_queue_and_inbox(drill: Drill) -> None:
    assert all(drill.in_flight.values()), drill.in_flight
    assert len(drill.written_meanwhile) > 1


def test_every_feed_holds_every_post_once_and_no_other(drill: Drill) -> None:
    for phone in drill.phones:
        wait_for_feed(phone, drill.posts)


def test_photos_are_served_also_those_that_were_under_way(drill: Drill) -> None:
    feed = wait_for_feed(drill.fox, drill.posts)
    addresses = [
        each["url"] for post in feed for image in post["images"] for each in image["renditions"].values()
    ]
    answers = [requests.get(address, timeout=10) for address in addresses]

    assert len(addresses) == 4 * 3
    assert {(answer.status_code, answer.headers["Content-Type"]) for answer in answers} == {
        (200, "image/webp")
    }


def test_every_comment_that_was_taken_before_the_backup_is_there_once(drill: Drill) -> None:
    found = [each["id"] for each in all_of(drill.puffin, f"/v1/posts/{drill.posts[0]}/comments")]
    post = drill.puffin.call("GET", f"/v1/posts/{drill.posts[0]}")

    assert set(drill.comments) <= set(found) <= {*drill.comments, *drill.written_meanwhile}
    assert len(found) == len(set(found)) == post["comment_count"]
    assert post["like_count"] == 1


def test_what_was_in_flight_is_applied_once(drill: Drill) -> None:
    assert drill.restored is not None
    left = partial(left_in_flight, drill.restored)
    wait_until(left, lambda each: not any(each.values()), what="everything in flight being applied")

    assert told_of(drill.puffin, {"follow", "like"}) == drill.news
    assert drill.puffin.call("GET", f"/v1/users/{drill.puffin.user_id}")["follower_count"] == 2
    assert count(drill.restored, "SELECT count(*) FROM social.inbox WHERE status = 'dead'") == 0


def test_counts_agree_with_the_rows_and_the_bucket_did_when_it_was_restored(drill: Drill) -> None:
    assert drill.restored is not None
    wait_for_feed(drill.fox, drill.posts)
    said = (drill.restored.folder / "logs" / "restore.log").read_text()

    assert "4 photos, 0 with files missing (0 given up); 0 stray objects" in said
    assert flask(drill.restored, "social", "counts", "reconcile", "--dry-run") == 0


def test_tables_owners_and_privileges_are_what_they_were(drill: Drill) -> None:
    assert drill.restored is not None
    assert len(drill.schema) > 100
    assert schema_of(drill.restored) == drill.schema


def test_places_from_before_are_refused_and_new_writes_work(drill: Drill) -> None:
    with pytest.raises(Refused) as refused:
        drill.fox.call("GET", f"/v1/feed?cursor={drill.cursor}")
    assert (refused.value.status, refused.value.code) == (400, "invalid_cursor")

    wait_for_feed(drill.fox, drill.posts)
    drill.posts.append(drill.puffin.post("On new ice", drill.puffin.upload([jpeg(64, 64, seed=9)]))["id"])

    wait_for_feed(drill.fox, drill.posts)


def test_people_whose_phones_are_lost_sign_in_again(drill: Drill) -> None:
    assert drill.restored is not None
    for phone in drill.phones:
        new_phone = Phone(gateway=drill.restored.addresses.gateway)
        new_phone.sign_in(drill.at_facebook[str(phone.user_id)])
        assert new_phone.user_id == phone.user_id


def test_a_backup_says_what_is_in_it_and_holds_no_secret(drill: Drill) -> None:
    assert drill.manifest is not None
    assert drill.manifest.rows["auth.accounts"] == 3
    assert drill.manifest.rows["social.posts"] == 5
    assert set(drill.manifest.files) == {
        "database.dump",
        "inventory.jsonl.gz",
        "objects.tar",
        "facebook.tar",
    }
