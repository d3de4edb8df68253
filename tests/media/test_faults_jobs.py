"""Removing, erasing and exporting while S3 is in trouble, and transfers that come to no end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from factories import photos
from factories.s3_faults import Fault, FaultyS3
from igloo_common.database import reading
from igloo_common.ids import new_id
from igloo_common.object_store import StorageUnavailable
from igloo_common.storage_errors import Trouble
from igloo_media.jobs.account_tasks import AccountTaskLane
from igloo_media.jobs.collector import remove_objects
from igloo_media.jobs.sweeper import sweep_uploads
from igloo_media.policies.objects import original_key, rendition_key
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.account_tasks import ask_for_export, fill, leave, make_due, objects_of, rows_of, tasks, work
from media.bad_hours import SECONDS, through
from media.conftest import Person, events, item, let_time_pass, send

PHOTO = photos.jpeg(64, 48)
REFUSED_KEY = (
    '<?xml version="1.0"?><DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<Error><Key>{key}</Key><Code>InternalError</Code><Message>As the test says.</Message></Error>"
    "</DeleteResult>"
)
TROUBLES: list[dict[str, Any]] = [
    {"fault": Fault.ANSWER, "status": 500},
    {"fault": Fault.ANSWER, "status": 503, "code": "SlowDown"},
    {"fault": Fault.LATE_ERROR},
    {"fault": Fault.CLOSE},
    {"fault": Fault.LOSE_ANSWER},
]


@pytest.fixture
def shaky(faulty: FaultyS3, settings: Settings) -> Storage:
    """Give the bucket as it is reached through a faulty S3, asked once and no more."""
    return through(faulty, settings.storage)


def removals() -> int:
    with reading() as reader:
        count: int = reader.execute(text("SELECT count(*) FROM object_removals")).scalar_one()
        return count


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_is_to_be_removed_is_remembered_until_it_is(
    ana: Person, shaky: Storage, faulty: FaultyS3, trouble: dict[str, Any]
) -> None:
    (upload,) = ana.ask(PHOTO)
    send(upload["target"], PHOTO)
    ana.call("DELETE", f"/v1/uploads/{upload['id']}")
    noted = removals()

    with faulty.broken(method="POST", key="delete*", **trouble), pytest.raises(StorageUnavailable):
        remove_objects(shaky)
    assert removals() == noted
    remove_objects(shaky)

    assert removals() < noted
    assert shaky.size_of(original_key(ana.id, upload["id"])) is None


def test_an_object_that_s3_keeps_stands_in_nobodys_way(ana: Person, shaky: Storage, faulty: FaultyS3) -> None:
    (upload,) = ana.ask(PHOTO)
    send(upload["target"], PHOTO)
    ana.call("DELETE", f"/v1/uploads/{upload['id']}")
    noted, key = removals(), original_key(ana.id, upload["id"])

    with faulty.broken(
        Fault.ANSWER, method="POST", key="delete*", status=200, body=REFUSED_KEY.format(key=key)
    ):
        remove_objects(shaky)

    assert shaky.size_of(key)
    assert 0 < removals() < noted, "the others are struck off"
    let_time_pass(hours=2)
    remove_objects(shaky)
    assert shaky.size_of(key) is None
    assert removals() == 0


def test_sweeping_in_a_bad_hour_expires_nothing_that_has_arrived(
    ana: Person, shaky: Storage, faulty: FaultyS3
) -> None:
    (upload,) = ana.ask(PHOTO)
    send(upload["target"], PHOTO)
    let_time_pass(hours=2)

    for trouble in TROUBLES[:2]:
        with faulty.broken(method="HEAD", **trouble), pytest.raises(StorageUnavailable):
            sweep_uploads(shaky)
        assert item(upload["id"]).state == "pending"
        let_time_pass(hours=0.2)
    sweep_uploads(shaky)

    assert item(upload["id"]).state == "uploaded"


@pytest.mark.parametrize("trouble", TROUBLES)
def test_an_erasure_says_that_it_is_done_when_it_is_so(
    ana: Person, storage: Storage, shaky: Storage, faulty: FaultyS3, trouble: dict[str, Any]
) -> None:
    media_ids = fill(storage, ana.id, 2)
    leave(ana.id)
    lane = AccountTaskLane(shaky)

    for method, key in (("POST", "delete*"), ("GET", "*list-type*")):
        make_due()
        with faulty.broken(method=method, key=key, **trouble):
            work(lane)
        assert events("media.account.erased.v1") == []
        assert tasks()[0].attempts >= 1
    make_due()
    work(lane)

    assert len(events("media.account.erased.v1")) == 1
    assert (rows_of(ana.id), objects_of(storage, ana.id, media_ids)) == (0, [])


@pytest.mark.parametrize("trouble", TROUBLES)
def test_an_export_is_whole_or_not_there(
    ana: Person, storage: Storage, shaky: Storage, faulty: FaultyS3, trouble: dict[str, Any]
) -> None:
    media_ids = fill(storage, ana.id, 2)
    part = ask_for_export(ana.id)
    lane = AccountTaskLane(shaky)

    for method, key in (("PUT", "exports/*"), ("GET", "*list-type*"), ("PUT", "*items.json")):
        make_due()
        with faulty.broken(method=method, key=key, **trouble):
            work(lane)
        assert events("media.export.collected.v1") == []
    make_due()
    work(lane)

    assert len(events("media.export.collected.v1")) == 1
    found = {found.key: found.size_bytes for found in storage.listing(part)}
    for media_id in media_ids:
        full = rendition_key(media_id, "full")
        assert found[f"{part}photos/{media_id}.webp"] == storage.size_of(full)
    assert f"{part}items.json" in found


def test_a_download_that_drips_is_given_up(shaky: Storage, faulty: FaultyS3, tmp_path: Path) -> None:
    key = f"originals/drip/{new_id()}"
    shaky.put(key, PHOTO, content_type="image/jpeg")

    with faulty.broken(Fault.DRIP, method="GET", key=key), pytest.raises(StorageUnavailable) as outage:
        shaky.download(key, tmp_path / "copy", max_bytes=len(PHOTO), seconds=0.2)

    assert outage.value.trouble == Trouble.SILENT
    shaky.download(key, tmp_path / "copy", max_bytes=len(PHOTO))
    assert (tmp_path / "copy").read_bytes() == PHOTO


def test_an_upload_whose_time_is_over_is_given_up_and_leaves_no_object(
    storage: Storage, tmp_path: Path
) -> None:
    key, file = rendition_key(new_id(), "feed"), tmp_path / "feed.webp"
    file.write_bytes(PHOTO)

    with pytest.raises(StorageUnavailable):
        storage.upload(key, file, content_type="image/webp", seconds=-1.0)

    assert storage.size_of(key) is None


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        ({"fault": Fault.ANSWER, "status": 500}, "refusing"),
        ({"fault": Fault.ANSWER, "status": 503, "code": "SlowDown"}, "slow_down"),
        ({"fault": Fault.ANSWER, "status": 403, "code": "QuotaExceeded"}, "full"),
        ({"fault": Fault.ANSWER, "status": 507, "code": "XMinioStorageFull"}, "full"),
        ({"fault": Fault.ANSWER, "status": 403, "code": "AccessDenied"}, "denied"),
        ({"fault": Fault.HANG}, "silent"),
    ],
)
def test_what_is_wrong_with_s3_is_counted_by_kind(
    faulty: FaultyS3, settings: Settings, trouble: dict[str, Any], kind: str
) -> None:
    shaky = through(faulty, settings.storage, seconds=SECONDS)
    before = _counted(kind)

    with faulty.broken(method="PUT", **trouble), pytest.raises(StorageUnavailable) as outage:
        shaky.put("originals/nobody/nothing", b"x", content_type="image/jpeg")

    assert outage.value.trouble == kind
    assert _counted(kind) == before + 1


def _counted(kind: str) -> float:
    return REGISTRY.get_sample_value("igloo_s3_errors_total", {"kind": kind}) or 0.0
