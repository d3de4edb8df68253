"""A person takes a copy of everything and leaves: through nginx, on real parts, over either broker."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Iterator
from functools import partial
from typing import Any
from zipfile import ZipFile

import pytest
import requests

from e2e.conftest import Town
from factories.photos import jpeg
from igloo_common.object_store import ObjectStore, StorageSettings
from igloo_common.settings import Environment
from igloo_local.environments import storage_environment
from igloo_local.phone import Json, Phone, Refused, facebook_token, wait_until

pytestmark = pytest.mark.e2e

PATIENCE_SECONDS = 100.0


@pytest.fixture
def store(town: Town) -> Iterator[ObjectStore]:
    """Look into the stack's bucket."""
    settings = StorageSettings.read(Environment.load(storage_environment(town.stack.parts.seaweed)))
    found = ObjectStore(settings)
    yield found
    found.inside.close()


class Neighbourhood:
    """Somebody with photos, likes and follows, and somebody else who is tied to them in every way."""

    def __init__(self, town: Town, *, leaving: str, staying: str) -> None:
        self.town = town
        self.leaving, self.staying = town.person(leaving), town.person(staying)
        self.leaving.relate("PUT", self.staying.user_id, "follow")
        self.staying.relate("PUT", self.leaving.user_id, "follow")
        self.media_ids = self.leaving.upload([jpeg(900, 600, seed=1), jpeg(640, 640, seed=2)])
        self.post = self.leaving.post("Two from the floe", self.media_ids)
        self.kept = self.staying.post("From the burrow")
        self.leaving.call("PUT", f"/v1/posts/{self.kept['id']}/like")
        wait_until(
            self.staying.feed,
            lambda posts: {self.post["id"], self.kept["id"]} == {post["id"] for post in posts},
            what="both posts in the feed",
        )
        self.staying.call("PUT", f"/v1/posts/{self.post['id']}/like")

    def photo_addresses(self) -> list[str]:
        """Return where the photos of the post are shown to others."""
        [post] = [post for post in self.staying.feed() if post["id"] == self.post["id"]]
        return [image["renditions"]["full"]["url"] for image in post["images"]]


def objects_of(store: ObjectStore, media_ids: list[str]) -> list[str]:
    """List what S3 holds of some photos, under whatever key."""
    return [found.key for found in store.listing("") if any(one in found.key for one in media_ids)]


def photo_status(address: str) -> int:
    """Look for a photo at the gateway."""
    return requests.get(address, timeout=10).status_code


def status_of(receipt: Json) -> Json:
    """Look at the public status page as a program."""
    answer = requests.get(str(receipt["status_url"]), timeout=10)
    assert answer.status_code == 200
    status: Json = answer.json()
    return status


def completed(receipt: Json) -> Json:
    """Wait until every service has removed its part."""
    return wait_until(
        lambda: status_of(receipt),
        lambda status: status["state"] == "completed",
        what="the deletion is complete",
        timeout_seconds=PATIENCE_SECONDS,
    )


def ready_export(phone: Phone) -> Json:
    """Ask for an export and wait for the archive."""
    asked = phone.call("POST", "/v1/account/exports", headers={"Idempotency-Key": "the-copy"})
    return wait_until(
        lambda: phone.call("GET", f"/v1/account/exports/{asked['id']}"),
        lambda export: export["state"] != "collecting",
        what="the export is ready",
        timeout_seconds=PATIENCE_SECONDS,
    )


def nothing_of_them_is_left(neighbours: Neighbourhood) -> None:
    """Look for a person who left, with the eyes of somebody who stayed."""
    staying, gone = neighbours.staying, neighbours.leaving.user_id
    assert [post["id"] for post in staying.feed()] == [neighbours.kept["id"]]
    assert staying.call("GET", f"/v1/posts/{neighbours.kept['id']}")["like_count"] == 0
    me = staying.call("GET", f"/v1/users/{staying.user_id}")
    assert (me["follower_count"], me["following_count"]) == (0, 0)
    assert staying.call("GET", "/v1/notifications")["data"] == []
    for path in (f"/v1/users/{gone}", f"/v1/posts/{neighbours.post['id']}", f"/v1/users/{gone}/posts"):
        with pytest.raises(Refused) as hidden:
            staying.call("GET", path)
        assert hidden.value.status == 404


def kill_workers(town: Town, *names: str) -> None:
    """Kill workers with signal 9; the supervisor starts them again."""
    for name in names:
        pid = town.stack.processes[f"{name}-worker"].pid
        if pid is not None:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                # Killed a moment ago, and not started again yet.
                continue


def documents(archive: ZipFile) -> dict[str, Any]:
    """Read every JSON document of an archive."""
    return {name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")}


def test_a_person_takes_a_copy_of_everything_and_leaves_without_a_trace(
    town: Town, store: ObjectStore
) -> None:
    neighbours = Neighbourhood(town, leaving="Snow Hare", staying="Puffin")
    leaving = neighbours.leaving
    photos = {address: requests.get(address, timeout=10) for address in neighbours.photo_addresses()}
    assert {photo.status_code for photo in photos.values()} == {200}

    export = ready_export(leaving)
    assert export["state"] == "ready", export
    download = requests.get(export["download"]["url"], timeout=30)
    archive = ZipFile(io.BytesIO(download.content))
    assert archive.testzip() is None
    found = documents(archive)
    assert found["auth/account.json"]["display_name"] == "Snow Hare"
    assert found["social/posts.json"][0]["caption"] == "Two from the floe"
    text = json.dumps(found)
    assert str(neighbours.staying.user_id) in json.dumps(found["social/following.json"])
    assert neighbours.kept["id"] in json.dumps(found["social/likes.json"])
    assert all(media_id in text for media_id in neighbours.media_ids)
    files = {archive.read(name) for name in archive.namelist() if name.endswith(".webp")}
    assert files == {photo.content for photo in photos.values()}

    receipt = leaving.call("DELETE", "/v1/account")

    with pytest.raises(Refused) as signed_out:
        leaving.refresh()
    assert (signed_out.value.code, signed_out.value.problem["reason"]) == (
        "session_revoked",
        "account_deleted",
    )
    status = completed(receipt)
    assert {step["state"] for step in status["services"].values()} == {"completed"}
    assert objects_of(store, neighbours.media_ids) == []
    assert list(store.listing(f"exports/{export['id']}/")) == []
    assert requests.get(export["download"]["url"], timeout=10).status_code == 404
    for address in photos:
        # The gateway asks again about an address that was good after half a minute.
        wait_until(
            partial(photo_status, address),
            lambda status: status == requests.codes.not_found,
            what="the photo is gone from the gateway",
            timeout_seconds=PATIENCE_SECONDS,
        )
    nothing_of_them_is_left(neighbours)
    page = requests.get(receipt["status_url"], headers={"Accept": "text/html"}, timeout=10)
    assert "Everything was removed by" in page.text


def test_a_deletion_is_completed_though_the_workers_of_social_and_media_are_killed_over_it(
    town: Town, store: ObjectStore
) -> None:
    neighbours = Neighbourhood(town, leaving="Arctic Tern", staying="Guillemot")

    kill_workers(town, "social")
    receipt = neighbours.leaving.call("DELETE", "/v1/account")
    kill_workers(town, "media", "auth")
    wait_until(
        lambda: status_of(receipt),
        lambda status: any(step["state"] == "completed" for step in status["services"].values()),
        what="the first service is done",
        timeout_seconds=PATIENCE_SECONDS,
    )
    kill_workers(town, "social", "media")

    status = completed(receipt)

    assert status["services"]["social"]["removed"]
    assert status["services"]["media"]["removed"]
    assert objects_of(store, neighbours.media_ids) == []
    nothing_of_them_is_left(neighbours)


def test_facebook_asks_for_the_deletion_and_the_person_may_come_back(town: Town) -> None:
    addresses = town.stack.addresses
    token = facebook_token(addresses.facebook, addresses.facebook_app_id, "Little Auk")
    phone = Phone(gateway=town.gateway)
    phone.sign_in(token)
    old = phone.user_id
    facebook_id = phone.call("GET", "/v1/account")["facebook_user_id"]

    asked = requests.post(
        f"{addresses.facebook}/stand-in/people/{facebook_id}/data-deletion", timeout=10
    ).json()

    assert set(asked) == {"url", "confirmation_code"}
    done = completed({"status_url": asked["url"]})
    assert (done["confirmation_code"], done["account_found"]) == (asked["confirmation_code"], True)
    phone.sign_in(
        requests.post(f"{addresses.facebook}/stand-in/people/{facebook_id}/tokens", timeout=10).json()[
            "access_token"
        ]
    )
    assert phone.user_id != old
    assert phone.feed() == []
