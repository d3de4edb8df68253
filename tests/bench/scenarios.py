"""The work that is measured: each scenario prepares its requests, so that only they fall into the window."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote
from uuid import uuid4

from bench.load import Request
from igloo_local.phone import Json, Phone

PAGE = 20


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One line of the report before it is measured."""

    work: str
    requests: list[Request]
    target_ms: float | None = None
    events_included: bool = False


def feed_first_pages(phone: Phone, followees: int, count: int) -> Scenario:
    """Read the first page over and over."""
    path = f"/v1/feed?limit={PAGE}"
    return Scenario(
        work=f"home feed, page 1, {followees} followees", requests=[get(phone, path)] * count, target_ms=0.75
    )


def feed_deep_pages(phone: Phone, depth: int, count: int) -> Scenario:
    """Read the page that comes after so many others."""
    cursor = ""
    for _ in range(depth - 1):
        cursor = phone.call("GET", f"/v1/feed?limit={PAGE}{cursor}")["page"]["next_cursor"]
        cursor = f"&cursor={quote(cursor)}"
    path = f"/v1/feed?limit={PAGE}{cursor}"
    return Scenario(work=f"home feed, page {depth}", requests=[get(phone, path)] * count, target_ms=0.75)


def profiles(phone: Phone, user_ids: list[str], count: int) -> Scenario:
    """Read other people's profiles with the relationship to them."""
    paths = itertools.islice(itertools.cycle(f"/v1/users/{user_id}" for user_id in user_ids), count)
    return Scenario(
        work="profile with relationship", requests=[get(phone, path) for path in paths], target_ms=0.5
    )


def new_posts(phone: Phone, count: int, *, events_included: bool) -> Scenario:
    """Make posts by a person with 50 followers."""
    return Scenario(
        work="create post, event and fan-out to 50 included" if events_included else "create post",
        requests=[post(phone, "/v1/posts", {"caption": f"bench {n}"}) for n in range(count)],
        target_ms=1.4 if events_included else 0.7,
        events_included=events_included,
    )


def follows(phone: Phone, user_ids: list[str], count: int, *, events_included: bool) -> Scenario:
    """Follow and unfollow one person after the other."""
    return Scenario(
        work="follow / unfollow" + (", events included" if events_included else ""),
        requests=list(itertools.islice(_follows(phone, user_ids), count)),
        target_ms=1.2 if events_included else 0.6,
        events_included=events_included,
    )


def upload_targets(phones: list[Phone], count: int) -> Scenario:
    """Ask for the target of one photo, one person after the other."""
    body = {"files": [{"content_type": "image/jpeg", "size_bytes": 2_700_000}]}
    return Scenario(
        work="upload request: one target",
        requests=[
            post(phone, "/v1/uploads", body) for phone in itertools.islice(itertools.cycle(phones), count)
        ],
        target_ms=1.5,
    )


def _follows(phone: Phone, user_ids: list[str]) -> Iterator[Request]:
    for user_id in itertools.cycle(user_ids):
        for method in ("PUT", "DELETE"):
            yield Request(method=method, path=f"/v1/users/{user_id}/follow", headers=_bearer(phone))


def get(phone: Phone, path: str) -> Request:
    """Make a read by a signed-in person."""
    return Request(method="GET", path=path, headers=_bearer(phone))


def post(phone: Phone, path: str, body: Json) -> Request:
    """Make a write by a signed-in person, under a key of its own."""
    headers = {**_bearer(phone), "Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
    return Request(method="POST", path=path, headers=headers, body=json.dumps(body).encode())


def _bearer(phone: Phone) -> dict[str, str]:
    return {"Authorization": f"Bearer {phone.access_token}"}
