"""The gateway's question: may this address be read, and where are the bytes?"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import requests
from flask import Flask
from sqlalchemy import update

from factories import photos
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.ids import new_id
from igloo_common.signatures import sign_path
from igloo_media.jobs.processing import PhotoLane
from igloo_media.models import Rendition
from igloo_media.settings import Settings
from media.conftest import Person, change, run


@pytest.fixture
def media_id(ana: Person, lane: PhotoLane) -> UUID:
    """Give a ready photo."""
    (media_id,) = ana.upload(photos.jpeg(64, 48))
    run(lane)
    return media_id


def ask(app: Flask, address: str) -> Any:  # noqa: ANN401 - Werkzeug's TestResponse
    return app.test_client().get("/internal/renditions/authorize", headers={"X-Original-URI": address})


def signed(settings: Settings, path: str, *, seconds: int = 600) -> str:
    return sign_path(path, expires_at=int(time.time()) + seconds, keys=settings.common.address_signing_keys)


def test_the_address_that_the_api_gave_leads_to_the_bytes(
    app: Flask, ana: Person, media_id: UUID, settings: Settings
) -> None:
    for rendition in ana.media(media_id)["renditions"].values():
        address = urlsplit(rendition["url"])
        answer = ask(app, f"{address.path}?{address.query}")

        assert (answer.status_code, answer.data) == (204, b"")
        assert answer.headers["Cache-Control"].startswith("public, max-age=")
        stored = requests.get(f"{settings.storage.endpoint}{answer.headers['X-Igloo-Object']}", timeout=10)
        assert stored.status_code == 200
        assert stored.content[8:12] == b"WEBP"


def test_the_same_address_leads_to_the_same_object_address(
    app: Flask, media_id: UUID, settings: Settings
) -> None:
    address = signed(settings, f"/media/{media_id}/feed")

    first, again = ask(app, address), ask(app, address)

    assert first.headers["X-Igloo-Object"] == again.headers["X-Igloo-Object"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda address: address.partition("?")[0],
        lambda address: address.partition("&")[0],
        lambda address: address[:-1] + ("0" if address[-1] != "0" else "1"),
        lambda address: address.replace("/feed", "/full"),
        lambda address: address.replace("expires=1", "expires=2"),
        lambda address: address.replace("expires=", "expires=x"),
        lambda address: address.replace("expires=", "expires=99999999999999999999"),
        lambda address: f"{address}&x=1",
        lambda address: f"{address}&",
        lambda address: address.replace("?", "?x=1&"),
        lambda address: address.replace("expires=", "expires=0"),
        lambda address: re.sub(r"(expires=\d+)&(signature=\w+)", r"\2&\1", address),
        lambda address: f"{address}&signature={address[-32:]}",
        lambda address: address[:-32] + address[-32:].upper(),
    ],
    ids=[
        "unsigned",
        "no signature",
        "wrong",
        "another rendition",
        "longer",
        "no number",
        "huge number",
        "one parameter more",
        "a dangling separator",
        "one parameter before",
        "a number spelt otherwise",
        "the other order",
        "twice",
        "capitals",
    ],
)
def test_a_signature_that_is_missing_or_wrong_is_refused(
    app: Flask, media_id: UUID, settings: Settings, spoil: Callable[[str], str]
) -> None:
    answer = ask(app, spoil(signed(settings, f"/media/{media_id}/feed")))

    assert (answer.status_code, answer.get_json()["code"]) == (403, "address_invalid")
    assert "X-Igloo-Object" not in answer.headers


def test_an_expired_address_says_so(app: Flask, media_id: UUID, settings: Settings) -> None:
    answer = ask(app, signed(settings, f"/media/{media_id}/feed", seconds=-5))

    assert (answer.status_code, answer.get_json()["code"]) == (403, "address_expired")


def test_a_deleted_photo_is_not_found(app: Flask, ana: Person, media_id: UUID, settings: Settings) -> None:
    address = signed(settings, f"/media/{media_id}/feed")
    assert ask(app, address).status_code == 204

    ana.call("DELETE", f"/v1/media/{media_id}")

    assert ask(app, address).status_code == 404


def test_addresses_of_all_versions_lead_to_the_newest(app: Flask, media_id: UUID, settings: Settings) -> None:
    with transaction() as session:
        session.execute(
            update(Rendition)
            .where(Rendition.media_id == media_id, Rendition.name == "thumb")
            .values(version=12)
        )

    for version in ("", "_2", "_11", "_12"):
        answer = ask(app, signed(settings, f"/media/{media_id}/thumb{version}"))

        assert answer.status_code == 204, version
        assert answer.headers["X-Igloo-Rendition"] == f"/media/{media_id}/thumb_12"
        assert f"/renditions/{media_id}/thumb_12.webp?" in answer.headers["X-Igloo-Object"]


@pytest.mark.parametrize(
    "name", ["feed_2", "thumb_2", "thumb_1", "thumb_02", "thumb_0", "thumb_", "thumb_2_2"]
)
def test_versions_unheard_of_are_not_found(app: Flask, media_id: UUID, settings: Settings, name: str) -> None:
    answer = ask(app, signed(settings, f"/media/{media_id}/{name}"))

    assert (answer.status_code, answer.get_json()["code"]) == (404, "rendition_not_found")


def test_a_withheld_photo_is_not_found(app: Flask, media_id: UUID, settings: Settings) -> None:
    address = signed(settings, f"/media/{media_id}/feed")
    change(media_id, withheld_at=utc_now())

    assert ask(app, address).status_code == 404

    change(media_id, withheld_at=None)
    assert ask(app, address).status_code == 204


@pytest.mark.parametrize("name", ["original", "feed.webp", "../originals", ""])
def test_there_are_three_renditions_and_nothing_else(
    app: Flask, media_id: UUID, settings: Settings, name: str
) -> None:
    answer = ask(app, signed(settings, f"/media/{media_id}/{name}"))

    assert (answer.status_code, answer.get_json()["code"]) == (404, "rendition_not_found")


def test_a_photo_that_is_not_ready_is_not_found(app: Flask, ana: Person, settings: Settings) -> None:
    (pending,) = ana.ask(photos.jpeg(64, 48))

    assert ask(app, signed(settings, f"/media/{pending['id']}/feed")).status_code == 404
    assert ask(app, signed(settings, f"/media/{new_id()}/feed")).status_code == 404
