"""Many uploads completed in one call, each with its own outcome."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

from flask import Flask

from factories import photos
from igloo_common.ids import new_id
from igloo_common.wiring import provide, provided
from igloo_media.schemas.completions import CompletionsSchema
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.conftest import Person, change, item, let_time_pass, send
from media.sending_parts import begin, large_upload, put, send_parts

PHOTO = photos.jpeg(64, 48)


def complete(person: Person, *upload_ids: str) -> list[dict[str, Any]]:
    answer = person.call("POST", "/v1/uploads/complete", json={"upload_ids": list(upload_ids)})
    assert answer.status_code == 200, answer.text
    assert CompletionsSchema().validate(answer.get_json()) == {}
    data: list[dict[str, Any]] = answer.get_json()["data"]
    assert [each["upload_id"] for each in data] == list(upload_ids)
    return data


def sent(person: Person, count: int) -> list[str]:
    uploads = person.ask(*[PHOTO] * count)
    for upload in uploads:
        assert send(upload["target"], PHOTO).status_code == 204
    return [upload["id"] for upload in uploads]


def outcomes(data: list[dict[str, Any]]) -> list[str]:
    return [each["problem"]["code"] if each["problem"] else each["upload"]["state"] for each in data]


def test_ten_photos_are_completed_in_one_call_and_again(ana: Person) -> None:
    ids = sent(ana, 10)

    assert outcomes(complete(ana, *ids)) == ["processing"] * 10
    assert outcomes(complete(ana, *ids)) == ["processing"] * 10
    assert {item(each).state for each in ids} == {"uploaded"}


def test_each_has_its_own_outcome_in_the_order_asked(ana: Person, ben: Person) -> None:
    here, done = sent(ana, 2)
    ana.call("POST", f"/v1/uploads/{done}/complete")
    change(done, state="failed", failure_code="unreadable_image", failure_detail="No.", due_at=None)
    (of_another,) = sent(ben, 1)
    unsent, expired, late, deleted = (upload["id"] for upload in ana.ask(*[PHOTO] * 4))
    change(expired, state="expired", due_at=None)
    change(late, expires_at=item(late).created_at)
    ana.call("DELETE", f"/v1/uploads/{deleted}")
    unknown = str(new_id())

    data = complete(ana, unsent, here, unknown, of_another, expired, late, deleted, done)

    assert outcomes(data) == [
        "upload_missing",
        "processing",
        "upload_not_found",
        "upload_not_found",
        "upload_expired",
        "upload_expired",
        "upload_not_found",
        "failed",
    ]
    problems = [each["problem"] for each in data if each["problem"]]
    assert [problem["status"] for problem in problems] == [409, 404, 404, 410, 410, 404]
    assert all(problem["detail"] for problem in problems)
    assert problems[1] == problems[2], "what is somebody else's is as unknown"
    assert (item(here).state, item(of_another).state) == ("uploaded", "pending")


def test_one_that_is_named_twice_is_answered_twice(ana: Person) -> None:
    first, second = sent(ana, 2)

    data = complete(ana, first, second, first)

    assert data[0] == data[2]
    assert outcomes(data) == ["processing"] * 3


def test_parts_are_put_together_and_missing_ones_named(ana: Person) -> None:
    whole, half, (small,) = large_upload(ana), large_upload(ana), sent(ana, 1)
    send_parts(ana, whole)
    put(begin(ana, half)[0])

    data = complete(ana, half, small, whole)

    assert outcomes(data) == ["parts_missing", "processing", "processing"]
    assert data[0]["problem"]["missing"] == [2]


def test_what_came_in_time_may_be_completed_late(ana: Person) -> None:
    ids = sent(ana, 2)
    let_time_pass(hours=2)

    assert outcomes(complete(ana, *ids)) == ["processing"] * 2


def test_with_s3_away_each_that_waits_says_so(app: Flask, ana: Person, settings: Settings) -> None:
    here, done = sent(ana, 2)
    complete(ana, done)
    own = provided(Storage)
    provide(app, Storage(replace(settings.storage, endpoint="http://127.0.0.1:9")))
    try:
        data = complete(ana, here, done)
    finally:
        provide(app, own)

    assert outcomes(data) == ["storage_unavailable", "processing"]
    assert data[0]["problem"]["status"] == 503
    assert outcomes(complete(ana, here)) == ["processing"]


def test_batches_at_once_in_any_order_wait_for_one_another(app: Flask, ana: Person) -> None:
    ids = sent(ana, 6)
    start = Barrier(4)

    def complete_at_once(number: int) -> list[str]:
        caller = replace(ana, client=app.test_client())
        start.wait(timeout=20)
        return outcomes(complete(caller, *(ids if number % 2 else ids[::-1])))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(complete_at_once, range(4))) == [["processing"] * 6] * 4
