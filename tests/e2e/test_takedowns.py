"""A photo on its whole way out: fetched in every manner, taken down by a moderator, and given back."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import urlsplit

import pytest
import requests

from e2e.conftest import Town
from e2e.test_social_life import PATIENCE_SECONDS, operate, resolve
from factories import photos
from igloo_local.phone import Phone, Refused, wait_until

pytestmark = pytest.mark.e2e

# Less than a decision is kept at the gateway: only a purge takes a photo away within it.
PURGED_SECONDS = 25.0


def fetch(address: str, method: str = "GET", **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.request(method, address, headers=named, timeout=10)


def asked_for(phone: Phone, file: bytes) -> str | None:
    """Ask for a target for a file, and return the code of the refusal, if it is one."""
    wanted = {"content_type": "image/jpeg", "size_bytes": len(file), "sha256": sha256(file).hexdigest()}
    try:
        phone.call("POST", "/v1/uploads", json={"files": [wanted]})
    except Refused as refusal:
        return refusal.code
    return None


def test_a_photo_is_fetched_withheld_by_a_moderator_and_given_back(town: Town) -> None:
    author, reader, moderator = town.person("Snow Hare"), town.person("Arctic Fox"), town.person("Puffin")
    operate(town, "accounts", "appoint-moderator", str(moderator.user_id))
    moderator.refresh()
    file = photos.jpeg(400, 300, seed=73)
    (media_id,) = author.upload([file])
    post = author.post("Burrow", [media_id])
    shown = wait_until(
        lambda: author.call("GET", f"/v1/posts/{post['id']}"),
        lambda read: read["state"] == "published",
        what="the post is out",
        timeout_seconds=PATIENCE_SECONDS,
    )
    address = shown["images"][0]["renditions"]["feed"]["url"]
    assert_is_served_as_http_has_it(address, media_id)
    assert_nothing_beside_it_is_served(town, address)

    report = reader.call(
        "POST", "/v1/reports", json={"target_kind": "post", "target_id": post["id"], "reason": "illegal"}
    )
    resolve(moderator, report["id"], "resolve", resolution="hide_post", note="A burrow is private.")

    wait_until(
        lambda: fetch(address).status_code,
        lambda status: status == 404,
        what="the photo is withheld",
        timeout_seconds=PURGED_SECONDS,
    )
    assert author.call("GET", f"/v1/media/{media_id}")["is_withheld"]
    assert [asked_for(phone, file) for phone in (author, reader)] == ["media_refused"] * 2

    resolve(moderator, report["id"], "reopen", note="It was their own.")

    wait_until(
        lambda: author.call("GET", f"/v1/media/{media_id}")["is_withheld"],
        lambda withheld: not withheld,
        what="the photo is given back",
        timeout_seconds=PATIENCE_SECONDS,
    )
    assert asked_for(reader, file) is None
    resolve(moderator, report["id"], "resolve", resolution="dismiss")


def assert_is_served_as_http_has_it(address: str, media_id: str) -> None:
    whole = fetch(address)
    tag, changed = whole.headers["ETag"], whole.headers["Last-Modified"]
    assert (whole.status_code, whole.headers["Content-Type"]) == (200, "image/webp")
    assert (tag[0], tag[-1]) == ('"', '"')
    assert whole.headers["Cache-Control"].endswith(", immutable")
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Content-Disposition"] == f'inline; filename="{media_id}-feed.webp"'

    head = fetch(address, "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(whole.content)
    part = fetch(address, Range="bytes=0-11")
    assert (part.status_code, part.content) == (206, whole.content[:12])
    assert fetch(address, Range="bytes=99999999-").json()["code"] == "range_not_satisfiable"
    assert fetch(address, Range="bytes=0-11", If_Range='"other"').content == whole.content
    for condition in ({"If_None_Match": tag}, {"If_Modified_Since": changed}):
        answer = fetch(address, **condition)
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)


def assert_nothing_beside_it_is_served(town: Town, address: str) -> None:
    parts = urlsplit(address)
    folder, _, name = parts.path.rpartition("/")
    bucket = town.stack.parts.services["media"].environment["IGLOO_S3_BUCKET"]
    statuses = {
        path: fetch(f"{town.gateway}{path}?{parts.query}").status_code
        for path in (
            "/media/",
            f"{folder}/",
            folder,
            folder.upper() + f"/{name}",
            f"/{bucket}/renditions{folder.removeprefix('/media')}/{name}.webp",
            f"/{bucket}/",
            f"/media{folder}/{name}",
        )
    }
    assert set(statuses.values()) == {404}, statuses
    assert fetch(f"{address}&size=2").status_code == 403
    assert fetch(address.replace(f"/{name}?", "/full?")).status_code == 403
    assert fetch(f"{town.gateway}{parts.path}").status_code == 403
    assert {fetch(address, method).status_code for method in ("POST", "PUT", "DELETE", "PURGE")} == {405}
