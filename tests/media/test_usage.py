"""How much a person may send and keep: counted exactly, whatever comes at once or is sent again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from factories import photos
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.web import provide
from igloo_media.events import RenditionFacts
from igloo_media.jobs import recounts
from igloo_media.jobs.collector import collect_items
from igloo_media.jobs.processing import PhotoLane
from igloo_media.operations.processing import RenderedPhoto, claim_next, finish_failed, finish_ready
from igloo_media.settings import PersonLimits, Settings
from igloo_media.storage import Storage
from media.conftest import Person, item, let_time_pass, run

PHOTO = photos.jpeg(64, 48)
FILE = {"content_type": "image/jpeg", "size_bytes": 1000}
Limit = Callable[..., None]
MANY = PersonLimits(uploads_per_hour=300, open_uploads=100, stored_bytes=10**9)


@pytest.fixture
def limit(app: Flask, settings: Settings) -> Iterator[Limit]:
    """Give a function that sets what everybody may."""

    def change(**limits: int) -> None:
        provide(app, replace(settings, person=replace(MANY, **limits)))

    yield change
    provide(app, settings)


def ask(person: Person, count: int = 1, *, client_id: str | None = None, size: int = 1000) -> Any:  # noqa: ANN401
    files = [
        {**FILE, "size_bytes": size, **({"client_id": f"{client_id}-{n}"} if client_id else {})}
        for n in range(count)
    ]
    return person.call("POST", "/v1/uploads", json={"files": files})


def usage(person: Person) -> dict[str, int]:
    answer = person.call("GET", "/v1/media/usage")
    assert answer.status_code == 200
    shown: dict[str, int] = answer.get_json()
    return shown


def rows_of(person: Person) -> int:
    with reading() as reader:
        count: int = reader.execute(
            text("SELECT count(*) FROM media_items WHERE owner_id = :id"), {"id": person.id}
        ).scalar_one()
        return count


def test_files_are_counted_and_the_headers_say_what_is_left(ana: Person, ben: Person, limit: Limit) -> None:
    limit(uploads_per_hour=12)
    ask(ben, 10)

    first, refused, rest = ask(ana, 10), ask(ana, 3), ask(ana, 2)

    assert (first.status_code, first.headers["RateLimit"]) == (201, '"uploads";r=2;t=300')
    assert first.headers["RateLimit-Policy"] == '"uploads";q=12;w=3600'
    assert (refused.status_code, refused.get_json()["code"]) == (429, "rate_limited")
    assert refused.headers["RateLimit"] == f'"uploads";r=2;t={refused.headers["Retry-After"]}'
    assert 290 <= int(refused.headers["Retry-After"]) <= 300, "when there is room for three"
    assert rest.headers["RateLimit"].startswith('"uploads";r=0;')
    assert rows_of(ana) == 12


def test_known_files_count_for_nothing_and_are_never_refused(ana: Person, limit: Limit) -> None:
    limit(uploads_per_hour=10)
    first = ask(ana, 10, client_id="a")

    again = ask(ana, 10, client_id="a")

    assert (first.status_code, again.status_code) == (201, 201)
    assert [each["id"] for each in again.get_json()["data"]] == [
        each["id"] for each in first.get_json()["data"]
    ]
    limit(uploads_per_hour=10, open_uploads=10, stored_bytes=1)
    assert ask(ana, 5, client_id="a").status_code == 201


def test_of_a_retry_with_new_files_the_new_ones_are_charged(ana: Person, limit: Limit) -> None:
    limit(uploads_per_hour=10)
    ask(ana, 4, client_id="a")

    assert ask(ana, 8, client_id="a").headers["RateLimit"].startswith('"uploads";r=2;')
    # Ten do not fit, but only two of them are new.
    assert ask(ana, 10, client_id="a").headers["RateLimit"].startswith('"uploads";r=0;')
    assert ask(ana, 1).status_code == 429
    assert ask(ana, 9, client_id="a").status_code == 201


def test_so_many_may_be_open_and_finished_ones_are_not(ana: Person, limit: Limit) -> None:
    limit(open_uploads=10)
    asked = ask(ana, 10).get_json()["data"]

    refused = ask(ana)

    assert (refused.status_code, refused.get_json()["code"]) == (429, "too_many_open_uploads")
    assert int(refused.headers["Retry-After"]) > 0
    ana.call("DELETE", f"/v1/uploads/{asked[0]['id']}")
    assert ask(ana).status_code == 201
    assert (usage(ana)["open_uploads"], usage(ana)["open_uploads_quota"]) == (10, 10)


def test_stored_and_on_its_way_may_not_be_more_than_the_quota(
    ana: Person, ben: Person, lane: PhotoLane, limit: Limit
) -> None:
    (media_id,) = ana.upload(PHOTO)
    run(lane)
    stored = usage(ana)["stored_bytes"]
    limit(stored_bytes=stored + 5000)
    assert ask(ana, 4).status_code == 201

    refused = ask(ana, 2)

    assert (refused.status_code, refused.get_json()["code"]) == (409, "quota_exceeded")
    assert ask(ana, 1).status_code == 201
    assert ask(ana, 1, size=1).status_code == 409
    assert ask(ben, 4).status_code == 201
    ana.call("DELETE", f"/v1/media/{media_id}")
    assert ask(ana, 1, size=stored).status_code == 201, "what is deleted is no longer counted"


def test_requests_at_once_get_together_what_one_after_the_other_would(
    app: Flask, ana: Person, limit: Limit
) -> None:
    limit(open_uploads=25)
    start = Barrier(6)

    def knock(_: int) -> int:
        start.wait(timeout=30)
        return int(ask(Person(client=app.test_client(), id=ana.id), 10).status_code)

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(knock, range(6)))

    assert (answers, rows_of(ana)) == ([201, 201, 429, 429, 429, 429], 20)


def test_usage_follows_photos_as_they_come_and_go(
    ana: Person, ben: Person, lane: PhotoLane, storage: Storage
) -> None:
    assert set(usage(ana).values()) >= {0}
    first, second, broken = ana.upload(PHOTO, photos.jpeg(64, 48, seed=2), photos.BROKEN_JPEG)
    assert (usage(ana)["photos"], usage(ana)["open_uploads"]) == (0, 3)
    run(lane)
    with reading() as reader:
        rows = reader.execute(text("SELECT media_id, sum(size_bytes) FROM renditions GROUP BY 1")).all()
    sizes = {row[0]: row[1] for row in rows}
    assert usage(ana) == {
        "photos": 2,
        "stored_bytes": sizes[first] + sizes[second],
        "stored_bytes_quota": 20_000_000_000,
        "open_uploads": 0,
        "open_uploads_quota": 100,
    }

    assert ana.call("DELETE", f"/v1/media/{broken}").status_code == 204
    ana.call("DELETE", f"/v1/media/{first}")
    assert (usage(ana)["photos"], usage(ana)["stored_bytes"]) == (1, sizes[second])
    let_time_pass(hours=25)
    collect_items()

    assert (usage(ana)["photos"], usage(ana)["stored_bytes"]) == (0, 0)
    assert usage(ben)["photos"] == 0


def test_a_photo_finished_twice_is_counted_once(ana: Person) -> None:
    ana.upload(PHOTO)
    with transaction() as session:
        claim = claim_next(session, now=utc_now())
    assert claim is not None
    photo = RenderedPhoto(
        content_sha256=b"",
        width=1,
        height=1,
        frames=1,
        receipt={"removed": [], "kept": []},
        blurhash="x",
        dominant_color="#000000",
        renditions=[RenditionFacts(name="full", width=1, height=1, content_type="image/webp", size_bytes=9)],
    )

    for expected in (True, False):
        with transaction() as session:
            assert finish_ready(session, claim, photo, now=utc_now()) is expected
    with transaction() as session:
        assert not finish_failed(session, claim, code="c", detail="d", now=utc_now())

    assert (usage(ana)["photos"], usage(ana)["stored_bytes"]) == (1, 9)


def test_a_wrong_count_is_found_put_right_and_measured(
    ana: Person, ben: Person, lane: PhotoLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recounts, "LOOKED_AT_AT_ONCE", 1)
    (of_ana,), _ = ana.upload(PHOTO), ben.upload(PHOTO)
    run(lane)
    right = usage(ana), usage(ben)
    recounts.recount_usage()
    assert recounts.WRONG._value.get() == 0
    with transaction() as session:
        session.execute(text("UPDATE owner_usage SET photos = 7 WHERE owner_id = :id"), {"id": ana.id})
        session.execute(text("DELETE FROM owner_usage WHERE owner_id = :id"), {"id": ben.id})
        session.execute(text("INSERT INTO owner_usage VALUES (:id, 1, 1)"), {"id": UUID(int=5)})

    recounts.recount_usage()

    assert (usage(ana), usage(ben)) == right
    assert recounts.WRONG._value.get() == 3
    recounts.recount_usage()
    assert recounts.WRONG._value.get() == 0
    assert item(of_ana).state == "ready"
