"""Makes the sample of a release: a backup of what people leave behind, taken with events on their way.

`python tests/upgrade/make_sample.py FOLDER NAME`, with a fresh stack of that release running in FOLDER over
the folder broker (`IGLOO_BROKER=filesystem`, `run --no-seed`). The sample is `tests/upgrade/samples/NAME`.
"""

from __future__ import annotations

import io
import json
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psutil
import psycopg
from PIL import Image

from igloo_local.addresses import read_addresses
from igloo_local.backups.backing_up import back_up
from igloo_local.phone import Json, Phone, facebook_token, wait_until

SAMPLES: Final = Path(__file__).parent / "samples"
QUEUES: Final = "queues"
TOLD: Final = "told.json"
PEOPLE: Final = ("Puffin", "Snow Hare", "Arctic Fox", "Narwhal", "Walrus")


def main() -> int:
    """Fill the stack, hold it still with events on their way, and write down what people were told."""
    folder, target = Path(sys.argv[1]), SAMPLES / sys.argv[2]
    stack = read_addresses(folder)
    people = {name: sign_in(stack, name) for name in PEOPLE}
    told = live(people)
    settled(stack)
    with held_still(stack, "social-worker"):
        told["in_flight"] = leave_in_flight(people)
        arrived(folder, stack)
        stored_and_not_acknowledged(folder, stack)
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(exist_ok=True)
        back_up(folder, target)
        shutil.copytree(folder / "broker" / "queues", target / QUEUES)
    told["people"] = {
        name: {"id": str(phone.user_id), "refresh": phone.refresh_token} for name, phone in people.items()
    }
    (target / TOLD).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    print(f"{target.name}: {sum(f.stat().st_size for f in target.rglob('*') if f.is_file()):,} bytes")
    return 0


def sign_in(stack: Json, name: str) -> Phone:
    """Sign somebody in."""
    phone = Phone(gateway=stack["gateway"])
    phone.sign_in(facebook_token(stack["facebook"], stack["facebook_app_id"], name))
    phone.call("GET", "/v1/users/me")
    return phone


def live(people: dict[str, Phone]) -> Json:
    """Have people do a little of everything, and return what they were told of it."""
    puffin, hare, fox, narwhal, walrus = (people[name] for name in PEOPLE)
    for follower, followee in ((hare, puffin), (fox, puffin), (puffin, hare), (narwhal, puffin)):
        follower.relate("PUT", followee.user_id, "follow")
    fox.relate("PUT", narwhal.user_id, "block")
    puffin.call("PUT", f"/v1/users/{hare.user_id}/mute")
    walrus.call("PATCH", "/v1/users/me", json={"is_private": True})
    hare.relate("PUT", walrus.user_id, "follow")
    post = puffin.post("Two from the floe #ice", puffin.upload([photo(1), photo(2)]))
    deleted = puffin.post("Gone again")
    wait_until(
        lambda: [shown["id"] for shown in hare.feed()],
        lambda ids: post["id"] in ids and deleted["id"] in ids,
        what="both posts in the feed",
    )
    comment = hare.call(
        "POST",
        f"/v1/posts/{post['id']}/comments",
        json={"text": "brr"},
        headers={"Idempotency-Key": str(uuid4())},
    )
    for liker in (hare, fox):
        liker.call("PUT", f"/v1/posts/{post['id']}/like")
    hare.call("PUT", f"/v1/posts/{post['id']}/bookmark")
    puffin.call("DELETE", f"/v1/posts/{deleted['id']}")
    narwhal.call(
        "POST",
        "/v1/reports",
        json={"target_kind": "post", "target_id": post["id"], "reason": "spam"},
        headers={"Idempotency-Key": str(uuid4())},
    )
    puffin.call("POST", "/v1/account/exports", headers={"Idempotency-Key": str(uuid4())})
    shown = puffin.call("GET", f"/v1/posts/{post['id']}")
    feed = hare.call("GET", "/v1/feed?limit=1")
    followers = hare.call("GET", f"/v1/users/{puffin.user_id}/followers?limit=1")
    return {
        "post": post["id"],
        "comment": comment["id"],
        "deleted": deleted["id"],
        "photo": shown["images"][0]["renditions"]["thumb"]["url"],
        "changes_since": feed["page"]["changes_since"],
        "cursor": followers["page"]["next_cursor"],
    }


def leave_in_flight(people: dict[str, Phone]) -> Json:
    """Have people do what cannot be told on any more: nobody reads, applies or publishes for social."""
    puffin, _, fox, narwhal, _ = (people[name] for name in PEOPLE)
    late = puffin.post("While everybody slept")
    with_photo = puffin.post("With one more photo", puffin.upload([photo(3)]))
    fox.call("PUT", f"/v1/posts/{late['id']}/like")
    fox.relate("DELETE", puffin.user_id, "follow")
    # The only thing that another service has to say to social at once: somebody leaves.
    narwhal.call("DELETE", "/v1/account")
    return {"post": late["id"], "with_photo": with_photo["id"], "left": str(narwhal.user_id)}


def photo(number: int) -> bytes:
    """Draw a small photo of its own."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((64 + number, 48)).convert("RGB").save(file, "JPEG")
    return file.getvalue()


def settled(stack: Json) -> None:
    """Wait until every event has been applied, and every photo and export is ready."""
    statements = (
        "SELECT count(*) FROM {0}.outbox WHERE published_at IS NULL",
        "SELECT count(*) FROM {0}.inbox WHERE status = 'pending'",
    )

    def waiting() -> int:
        return sum(
            count(stack, statement.format(schema))
            for schema in ("auth", "social", "media")
            for statement in statements
        )

    wait_until(waiting, lambda rows: not rows, what="everything applied", timeout_seconds=60)


def arrived(folder: Path, stack: Json) -> None:
    """Wait until the other services have said to social what they had to say."""
    published = "SELECT count(*) FROM {0}.outbox WHERE published_at IS NULL"
    wait_until(
        lambda: count(stack, published.format("auth")) + count(stack, published.format("media")),
        lambda rows: not rows,
        what="events of the others published",
        timeout_seconds=60,
    )
    wait_until(
        lambda: len(messages(folder)),
        lambda found: found >= 2,
        what="messages in social's queue",
    )


def stored_and_not_acknowledged(folder: Path, stack: Json) -> None:
    """Leave one message both in the queue and in the inbox, one event dead and one message parked.

    This is how a worker leaves them that is killed between its commit and its acknowledgement, and what a
    release leaves behind that could not apply or read something.
    """
    envelope: Json = json.loads(messages(folder)[0].read_bytes())
    row = {
        "id": envelope["id"],
        "type": envelope["type"],
        "key": envelope["subject"],
        "sequence": envelope["sequence"],
        "payload": messages(folder)[0].read_bytes(),
    }
    store = """
        INSERT INTO social.inbox (event_id, type, aggregate_key, sequence, payload,
            received_at, next_attempt_at, status, last_error)
        VALUES (%(id)s, %(type)s, %(key)s, %(sequence)s, %(payload)s, now(), now(), %(status)s, %(error)s)
    """
    with connect(stack) as connection:
        connection.execute(store, {**row, "status": "pending", "error": None})
        dead = {
            **row,
            "id": uuid4(),
            "key": "account:dead",
            "status": "dead",
            "error": "KeyError: 'account_id'",
        }
        connection.execute(
            store, {**dead, "payload": json.dumps({**envelope, "id": str(dead["id"])}).encode()}
        )
        connection.execute(
            "INSERT INTO social.parked_messages (body, routing_key, reason, received_at)"
            " VALUES ('not an event', 'auth.account.created.v1', 'not JSON', now())"
        )


def messages(folder: Path) -> list[Path]:
    """Return the messages in social's queue, oldest first."""
    return sorted((folder / "broker" / "queues" / "social.events").glob("[!.]*"))


@contextmanager
def held_still(stack: Json, name: str) -> Iterator[None]:
    """Stop a process of the stack for as long as the block runs."""
    process = psutil.Process(stack["pids"][name])
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def connect(stack: Json) -> psycopg.Connection[Any]:
    """Open a connection of the superuser's."""
    return psycopg.connect(stack["databases"]["superuser"].replace("+psycopg", ""), autocommit=True)


def count(stack: Json, query: str) -> int:
    """Return the one number that a query asks for."""
    with connect(stack) as connection:
        row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


if __name__ == "__main__":
    sys.exit(main())
