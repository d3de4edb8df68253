"""Forms while S3 is away, and forms sent twice at once: nothing is there twice, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from factories.s3_faults import Fault, FaultyS3
from igloo_common.database import reading
from igloo_common.web import provide
from igloo_media.jobs.sweeper import sweep_uploads
from igloo_media.models import ObjectRemoval
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.conftest import Person, item, let_time_pass, wait_until
from media.test_media_forms import FOX, HARE, PUFFIN, form, send, send_keyed, stored, taken


@pytest.fixture(autouse=True)
def s3_away(app: Flask, settings: Settings, storage: Storage, faulty_proxy: FaultyS3) -> Iterator[FaultyS3]:
    """Have the service reach S3 through a proxy that a test breaks."""
    way = replace(settings.storage, endpoint=faulty_proxy.url)
    provide(app, Storage(way))
    faulty_proxy.heal()
    yield faulty_proxy
    faulty_proxy.heal()
    provide(app, storage)


def code_of(answer: TestResponse) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json", answer.text
    return answer.status_code, answer.get_json()["code"]


def uploads_of(person: Person) -> list[dict[str, Any]]:
    uploads: list[dict[str, Any]] = person.call("GET", "/v1/uploads").get_json()["data"]
    return uploads


def test_without_s3_a_form_is_refused_and_leaves_nothing_that_nobody_can_name(
    ana: Person, s3_away: FaultyS3
) -> None:
    s3_away.break_down(Fault.ANSWER, method="PUT", status=500, skip=1)

    answer = send(ana, HARE, FOX)

    assert code_of(answer) == (503, "storage_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert uploads_of(ana) == []


def test_a_client_id_finishes_what_s3_refused(ana: Person, s3_away: FaultyS3, storage: Storage) -> None:
    with s3_away.broken(Fault.ANSWER, method="PUT", status=503, code="SlowDown"):
        assert code_of(send(ana, HARE, client_id=["hare"])) == (503, "storage_unavailable")
    (waiting,) = uploads_of(ana)

    (upload,) = taken(send(ana, HARE, client_id=["hare"]))

    assert (waiting["state"], upload["id"]) == ("pending", waiting["id"])
    assert stored(storage, ana, upload) == HARE


def test_a_key_finishes_what_s3_refused_with_the_same_uploads(
    ana: Person, s3_away: FaultyS3, storage: Storage
) -> None:
    with s3_away.broken(Fault.ANSWER, method="PUT", status=500, skip=1):
        assert code_of(send_keyed(ana, HARE, FOX)) == (503, "storage_unavailable")
    waiting = {upload["id"] for upload in uploads_of(ana)}

    assert code_of(send_keyed(ana, FOX)) == (422, "idempotency_key_reused")
    uploads = taken(send_keyed(ana, HARE, FOX))

    assert {upload["id"] for upload in uploads} == waiting
    assert [stored(storage, ana, upload) for upload in uploads] == [HARE, FOX]
    assert taken(send_keyed(ana, HARE, FOX)) == uploads
    assert len(uploads_of(ana)) == 2


def test_a_key_begins_anew_when_what_it_began_has_expired(ana: Person, s3_away: FaultyS3) -> None:
    with s3_away.broken(Fault.ANSWER, method="PUT", status=500):
        send_keyed(ana, HARE)
    (waiting,) = uploads_of(ana)
    ana.call("DELETE", f"/v1/uploads/{waiting['id']}")

    (upload,) = taken(send_keyed(ana, HARE))

    assert (upload["state"], upload["id"] != waiting["id"]) == ("processing", True)


def test_the_sweeper_finishes_what_s3_took_before_it_was_away(
    ana: Person, s3_away: FaultyS3, storage: Storage
) -> None:
    s3_away.break_down(Fault.ANSWER, method="PUT", status=500, skip=1)
    send(ana, HARE, PUFFIN, client_id=["hare", "puffin"])
    let_time_pass(hours=0.1)

    sweep_uploads(storage)

    states = {upload["client_id"]: upload["state"] for upload in uploads_of(ana)}
    assert states == {"hare": "processing", "puffin": "pending"}


def test_a_second_form_with_the_key_is_told_that_the_first_is_under_way(
    app: Flask, ana: Person, s3_away: FaultyS3
) -> None:
    s3_away.break_down(Fault.HANG, method="PUT", times=1)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send_keyed, Person(client=app.test_client(), id=ana.id), HARE)
        wait_until(lambda: s3_away.asked("PUT"), "the first form reaches S3")

        assert transactions_open() == 0, "a transaction waits for S3"
        assert code_of(send_keyed(ana, HARE)) == (409, "idempotency_key_in_use")
        s3_away.heal()
        uploads = taken(first.result(20))

    assert taken(send_keyed(ana, HARE)) == uploads
    assert item(uploads[0]["id"]).state == "uploaded"


def test_an_upload_that_is_given_up_while_it_is_stored_stays_given_up(
    app: Flask, ana: Person, s3_away: FaultyS3
) -> None:
    s3_away.break_down(Fault.HANG, method="PUT", times=1)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send, Person(client=app.test_client(), id=ana.id), HARE)
        wait_until(lambda: s3_away.asked("PUT"), "the form reaches S3")
        (upload,) = uploads_of(ana)
        assert ana.call("DELETE", f"/v1/uploads/{upload['id']}").status_code == 204
        s3_away.heal()

        assert code_of(first.result(20)) == (404, "upload_not_found")
    with reading() as reader:
        planned = reader.execute(
            select(ObjectRemoval.due_at).where(ObjectRemoval.object_key.like("originals/%"))
        )
        assert len(planned.all()) == 2, "now, and when nothing can come any more"


def transactions_open() -> int:
    """Count the transactions of this database that wait for their client."""
    with reading() as reader:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND state LIKE 'idle in transaction%'"
        )
        return int(reader.execute(waiting).scalar_one())


def test_a_form_is_described_as_it_was_sent(ana: Person, s3_away: FaultyS3) -> None:
    answer = ana.call("POST", "/v1/media", **form(HARE, alt_text=["A hare"]))

    assert taken(answer)[0]["alt_text"] == "A hare"
    assert s3_away.asked("PUT") == 1
