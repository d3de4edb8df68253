"""The same file asked for again: after a lost answer, from another phone, after everything was done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from threading import Barrier

import pytest
from flask import Flask

from factories import photos
from igloo_media.jobs.processing import PhotoLane
from igloo_media.jobs.sweeper import sweep_uploads
from igloo_media.storage import Storage
from media.answers import code_of
from media.conftest import Person, item, let_time_pass, run, send

PHOTO = photos.jpeg(64, 48)
FILE = {"content_type": "image/jpeg", "size_bytes": len(PHOTO)}


def test_a_client_id_makes_a_retry_exact(ana: Person, ben: Person) -> None:
    first = ana.ask(PHOTO, client_id="roll-1/photo-7")
    again = ana.ask(PHOTO, client_id="roll-1/photo-7")
    of_another = ben.ask(PHOTO, client_id="roll-1/photo-7")

    assert again[0]["id"] == first[0]["id"]
    assert again[0]["expires_at"] > first[0]["expires_at"]
    assert send(again[0]["target"], PHOTO).status_code == 204
    assert of_another[0]["id"] != first[0]["id"]


def test_a_client_id_is_not_taken_for_another_file(ana: Person) -> None:
    ana.ask(PHOTO, client_id="photo-7")

    answer = ana.call(
        "POST", "/v1/uploads", json={"files": [{**FILE, "size_bytes": 9, "client_id": "photo-7"}]}
    )

    assert code_of(answer) == (409, "client_id_reused")


def test_a_client_id_is_free_again_after_its_upload_was_cancelled(ana: Person) -> None:
    (first,) = ana.ask(PHOTO, client_id="photo-7")
    ana.call("DELETE", f"/v1/uploads/{first['id']}")

    (second,) = ana.ask(PHOTO, client_id="photo-7")

    assert second["id"] != first["id"]


def test_a_client_id_that_is_known_answers_beside_new_files(ana: Person) -> None:
    (known,) = ana.ask(PHOTO, client_id="b")

    files = [{**FILE, "client_id": name} for name in ("a", "b", "c")]
    uploads = ana.call("POST", "/v1/uploads", json={"files": files}).get_json()["data"]

    assert [upload["client_id"] for upload in uploads] == ["a", "b", "c"]
    assert uploads[1]["id"] == known["id"]


def test_retries_at_once_in_any_order_wait_for_one_another(app: Flask, ana: Person) -> None:
    names = [f"photo-{number}" for number in range(10)]
    start = Barrier(6)

    def ask(number: int) -> list[tuple[str, str]]:
        caller = replace(ana, client=app.test_client())
        answers = []
        for step in range(8):
            listed = [f"{step}/{name}" for name in (names if number % 2 else names[::-1])]
            files = [{**FILE, "client_id": name} for name in listed]
            start.wait(timeout=20)
            reply = caller.call("POST", "/v1/uploads", json={"files": files})
            assert reply.status_code == 201, reply.get_json()
            answers += [(upload["client_id"], upload["id"]) for upload in reply.get_json()["data"]]
        return answers

    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(ask, number) for number in range(6)]
    answers = {answer for each in asked for answer in each.result()}

    assert len(answers) == 8 * len(names)


def test_an_idempotency_key_replays_the_first_reply(ana: Person) -> None:
    headers = {"Idempotency-Key": "tap-1"}
    first = ana.call("POST", "/v1/uploads", json={"files": [FILE]}, headers=headers)
    again = ana.call("POST", "/v1/uploads", json={"files": [FILE]}, headers=headers)
    other = ana.call("POST", "/v1/uploads", json={"files": [FILE, FILE]}, headers=headers)

    assert again.get_json() == first.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert code_of(other) == (422, "idempotency_key_reused")


def test_a_retry_after_everything_was_done_gives_the_ready_photo(ana: Person, lane: PhotoLane) -> None:
    checksum = sha256(PHOTO).hexdigest()
    (media_id,) = ana.upload(PHOTO, client_id="photo-7", sha256=checksum)
    run(lane)

    (again,) = ana.ask(PHOTO, client_id="photo-7", sha256=checksum)

    assert (again["media_id"], again["state"], again["target"]) == (str(media_id), "ready", None)
    assert ana.media(again["media_id"])["state"] == "ready"


@pytest.mark.parametrize("steps", [1, 2])
def test_a_retry_finds_the_photo_wherever_it_stands(ana: Person, lane: PhotoLane, steps: int) -> None:
    (media_id,) = ana.upload(photos.BROKEN_JPEG, client_id="photo-7")
    if steps == 2:
        run(lane)

    (again,) = ana.ask(photos.BROKEN_JPEG, client_id="photo-7")

    assert (again["id"], again["state"]) == (str(media_id), ("processing", "failed")[steps - 1])


@pytest.mark.parametrize(
    "changed",
    [
        {"size_bytes": len(PHOTO) + 1},
        {"content_type": "image/heic"},
        {"sha256": sha256(b"another").hexdigest()},
        {"sha256": None},
    ],
)
def test_whatever_differs_of_the_file_is_another_file(ana: Person, changed: dict[str, object]) -> None:
    known = {**FILE, "client_id": "photo-7", "sha256": sha256(PHOTO).hexdigest()}
    assert ana.call("POST", "/v1/uploads", json={"files": [known]}).status_code == 201

    answer = ana.call(
        "POST", "/v1/uploads", json={"files": [{**FILE, "client_id": "new"}, {**known, **changed}]}
    )

    assert code_of(answer) == (409, "client_id_reused")
    kept = ana.call("GET", "/v1/uploads").get_json()["data"]
    assert [upload["client_id"] for upload in kept] == ["photo-7"], "all or none"


def test_a_client_id_is_free_again_after_its_upload_has_expired(ana: Person, storage: Storage) -> None:
    (first,) = ana.ask(PHOTO, client_id="photo-7")
    let_time_pass(hours=2)
    sweep_uploads(storage)

    (second,) = ana.ask(PHOTO, client_id="photo-7")

    assert (item(first["id"]).state, second["state"]) == ("expired", "pending")
    assert second["id"] != first["id"]


def test_an_upload_cancelled_while_it_is_asked_for_again_is_no_error(app: Flask, ana: Person) -> None:
    start = Barrier(3)

    def cancel() -> None:
        caller = replace(ana, client=app.test_client())
        start.wait(timeout=20)
        for _ in range(40):
            for upload in caller.call("GET", "/v1/uploads?state=pending").get_json()["data"]:
                assert caller.call("DELETE", f"/v1/uploads/{upload['id']}").status_code in (204, 404)

    def ask() -> list[int]:
        caller = replace(ana, client=app.test_client())
        files = {"files": [{**FILE, "client_id": name} for name in "abc"]}
        start.wait(timeout=20)
        return [caller.call("POST", "/v1/uploads", json=files).status_code for _ in range(40)]

    with ThreadPoolExecutor(3) as pool:
        cancelling, *asking = pool.submit(cancel), pool.submit(ask), pool.submit(ask)
        cancelling.result()

    assert {status for each in asking for status in each.result()} == {201}


def test_an_app_killed_before_completing_goes_on_with_what_it_finds(ana: Person) -> None:
    ana.ask(PHOTO, client_id="never-sent")
    (sent,) = ana.ask(PHOTO, client_id="sent")
    send(sent["target"], PHOTO)

    found = ana.call("GET", "/v1/uploads?state=pending").get_json()["data"]
    ids = [upload["id"] for upload in found]
    answers = ana.call("POST", "/v1/uploads/complete", json={"upload_ids": ids}).get_json()["data"]

    assert [upload["client_id"] for upload in found] == ["sent", "never-sent"]
    assert [answer["problem"] and answer["problem"]["code"] for answer in answers] == [None, "upload_missing"]
    assert send(found[1]["target"], PHOTO).status_code == 204
