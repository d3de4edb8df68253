"""What phones are told while S3 is in trouble, and that it is enough to go on with afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from flask import Flask

from factories import photos
from factories.s3_faults import Fault, FaultyS3
from igloo_common.wiring import provide, wiring_of
from igloo_media.settings import Settings
from igloo_media.storage import LOOKUPS_AT_ONCE, Storage
from media.bad_hours import SECONDS, through
from media.conftest import Person, item, send

PHOTO = photos.jpeg(64, 48)
TROUBLES: list[tuple[dict[str, Any], str]] = [
    ({"fault": Fault.ANSWER, "status": 500}, "5"),
    ({"fault": Fault.ANSWER, "status": 503}, "15"),
    ({"fault": Fault.ANSWER, "status": 403}, "60"),
    ({"fault": Fault.CLOSE}, "5"),
    ({"fault": Fault.HANG}, "5"),
]


class Bucket:
    """The bucket of the application under test, which may be reached in one way or the other."""

    def __init__(self, app: Flask, proxy: FaultyS3, settings: Settings) -> None:
        self._app, self._proxy, self._settings = app, proxy, settings
        self.use()

    def use(self, *, attempts: int = 2, seconds: float | None = None) -> None:
        """Have the application ask S3 so often, and wait for so long."""
        storage = through(self._proxy, self._settings.storage, attempts=attempts, seconds=seconds)
        provide(self._app, storage, interface=Storage)


@pytest.fixture
def bucket(app: Flask, faulty: FaultyS3, settings: Settings) -> Iterator[Bucket]:
    """Have the application reach S3 through the proxy."""
    usual = wiring_of(app).adapters[Storage]
    yield Bucket(app, faulty, settings)
    provide(app, usual, interface=Storage)


def complete(person: Person, upload: dict[str, Any]) -> Any:  # noqa: ANN401 - Werkzeug's TestResponse
    return person.call("POST", f"/v1/uploads/{upload['id']}/complete")


@pytest.mark.parametrize(("trouble", "seconds"), TROUBLES)
def test_completing_says_when_to_try_again_and_works_then(
    ana: Person, bucket: Bucket, faulty: FaultyS3, trouble: dict[str, Any], seconds: str
) -> None:
    (upload,) = ana.ask(PHOTO)
    assert send(upload["target"], PHOTO).status_code == 204
    if trouble["fault"] is Fault.HANG:
        bucket.use(seconds=SECONDS)

    with faulty.broken(method="HEAD", **trouble):
        refused = complete(ana, upload)

    assert refused.status_code == 503
    assert refused.get_json()["code"] == "storage_unavailable"
    assert refused.headers["Retry-After"] == seconds
    (listed,) = ana.call("GET", "/v1/uploads?state=pending").get_json()["data"]
    assert (listed["id"], listed["state"]) == (upload["id"], "pending")
    bucket.use()
    assert complete(ana, upload).get_json()["state"] == "processing"


@pytest.mark.parametrize("trouble", [each for each, _ in TROUBLES if each.get("status") != 403])
def test_a_brief_fault_is_not_seen_by_the_phone(
    ana: Person, bucket: Bucket, faulty: FaultyS3, trouble: dict[str, Any]
) -> None:
    (upload,) = ana.ask(PHOTO)
    send(upload["target"], PHOTO)
    if trouble["fault"] is Fault.HANG:
        bucket.use(seconds=SECONDS, attempts=3)

    # A busy server would have it wait for longer than any phone does.
    faulty.break_down(method="HEAD", times=1, headers={"Retry-After": "600"}, **trouble)

    assert complete(ana, upload).get_json()["state"] == "processing"
    assert faulty.asked("HEAD") >= 2


def test_a_silent_s3_takes_up_no_more_threads_than_it_must(
    ana: Person, bucket: Bucket, faulty: FaultyS3
) -> None:
    uploads = ana.ask(*(photos.jpeg(64, 48, seed=n) for n in range(4)))
    bucket.use(seconds=SECONDS, attempts=1)

    faulty.break_down(Fault.HANG, method="HEAD")
    refusals = [complete(ana, upload).status_code for upload in uploads]

    assert refusals == [503] * 4
    assert faulty.asked("HEAD") == 1, "after one silence the others are told at once"


def test_a_silent_s3_holds_a_batch_up_for_one_silence_and_not_for_each(
    ana: Person, bucket: Bucket, faulty: FaultyS3
) -> None:
    uploads = ana.ask(*(photos.jpeg(64, 48, seed=n) for n in range(10)))
    bucket.use(seconds=SECONDS, attempts=1)

    faulty.break_down(Fault.HANG, method="HEAD")
    ids = [upload["id"] for upload in uploads]
    answer = ana.call("POST", "/v1/uploads/complete", json={"upload_ids": ids})

    problems = {line["problem"]["code"] for line in answer.get_json()["data"]}
    assert (answer.status_code, problems) == (200, {"storage_unavailable"})
    assert faulty.asked("HEAD") <= LOOKUPS_AT_ONCE


def test_a_batch_tells_of_each_file_what_is_so(ana: Person, bucket: Bucket, faulty: FaultyS3) -> None:
    files = [photos.jpeg(64, 48, seed=n) for n in range(3)]
    uploads = ana.ask(*files)
    for upload, file in zip(uploads, files, strict=True):
        send(upload["target"], file)
    ids = [upload["id"] for upload in uploads]

    with faulty.broken(Fault.ANSWER, method="HEAD", key=f"originals/*/{ids[1]}"):
        answer = ana.call("POST", "/v1/uploads/complete", json={"upload_ids": ids})

    assert answer.status_code == 200
    lines = answer.get_json()["data"]
    assert [line["problem"] and line["problem"]["code"] for line in lines] == [
        None,
        "storage_unavailable",
        None,
    ]
    assert [item(each).state for each in ids] == ["uploaded", "pending", "uploaded"]
    again = ana.call("POST", "/v1/uploads/complete", json={"upload_ids": ids}).get_json()["data"]
    assert [line["upload"]["state"] for line in again] == ["processing"] * 3


def test_asking_for_targets_and_looking_at_them_needs_no_s3(
    ana: Person, bucket: Bucket, faulty: FaultyS3
) -> None:
    faulty.break_down(Fault.CLOSE)

    (upload,) = ana.ask(PHOTO)

    assert ana.call("GET", f"/v1/uploads/{upload['id']}").get_json()["target"]["url"].startswith(faulty.url)
    assert faulty.asked("*") == 0


@pytest.mark.parametrize(
    ("trouble", "arrived"),
    [
        ({"fault": Fault.ANSWER, "status": 503, "code": "SlowDown"}, False),
        ({"fault": Fault.CLOSE}, False),
        ({"fault": Fault.CUT_UPLOAD}, False),
        ({"fault": Fault.LOSE_ANSWER}, True),
    ],
)
def test_a_phone_whose_post_fails_sends_it_again_to_the_same_target(
    ana: Person, bucket: Bucket, faulty: FaultyS3, trouble: dict[str, Any], arrived: bool
) -> None:
    (upload,) = ana.ask(PHOTO)

    with faulty.broken(method="POST", **trouble):
        assert _sent(upload, PHOTO) is False
    # Whether the file is there is what S3 says, and not what the phone has heard.
    if not arrived:
        early = complete(ana, upload)
        assert (early.status_code, early.get_json()["code"]) == (409, "upload_missing")

    assert _sent(upload, PHOTO)
    assert complete(ana, upload).get_json()["state"] == "processing"


def _sent(upload: dict[str, Any], file: bytes) -> bool:
    try:
        return send(upload["target"], file).status_code == 204
    except requests.ConnectionError:
        return False


LARGE = 9_000_000


@pytest.mark.parametrize("trouble", [{"fault": Fault.ANSWER, "status": 500}, {"fault": Fault.LOSE_ANSWER}])
def test_parts_are_begun_listed_and_joined_in_spite_of_faults(
    ana: Person, bucket: Bucket, faulty: FaultyS3, trouble: dict[str, Any]
) -> None:
    bucket.use(attempts=1)
    file = PHOTO + bytes(LARGE - len(PHOTO))
    (upload,) = ana.ask(file)
    path = f"/v1/uploads/{upload['id']}/parts"

    with faulty.broken(method="POST", **trouble):
        assert ana.call("POST", path).status_code == 503
    begun = ana.call("POST", path)
    assert begun.status_code in (200, 201)
    parts = begun.get_json()["parts"]
    _put(parts, file, faulty)
    for method in ("GET", "POST"):
        with faulty.broken(method=method, **trouble):
            assert complete(ana, upload).status_code in (503, 200)
    assert complete(ana, upload).get_json()["state"] == "processing"

    storage: Any = wiring_of(ana.client.application).adapters[Storage]
    row = item(upload["id"])
    assert storage.size_of(f"originals/{row.owner_id}/{row.id}") == LARGE


def _put(parts: list[dict[str, Any]], file: bytes, faulty: FaultyS3) -> None:
    """PUT all parts as a phone does, the first of them twice: its answer was lost."""
    with faulty.broken(Fault.LOSE_ANSWER, method="PUT", times=1), pytest.raises(requests.ConnectionError):
        requests.put(_address(parts[0]), data=file[: parts[0]["size_bytes"]], timeout=10)
    sent = 0
    for part in parts:
        chunk = file[sent : sent + part["size_bytes"]]
        assert requests.put(_address(part), data=chunk, timeout=10).status_code == 200
        sent += part["size_bytes"]


def _address(part: dict[str, Any]) -> str:
    address: str = part["target"]["url"] if "target" in part else part["url"]
    return address
