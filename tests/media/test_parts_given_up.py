"""Parts that nobody joins: they are in no listing of objects, and must not stay in S3."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
import requests
from sqlalchemy import text

from factories.s3_faults import Fault, FaultyS3
from igloo_common.database import reading
from igloo_common.ids import new_id
from igloo_common.object_store import StorageUnavailable
from igloo_media.jobs.abandonments import FAILURES_OF_S3, abort_abandoned
from igloo_media.jobs.account_tasks import AccountTaskLane
from igloo_media.jobs.sweeper import sweep_uploads
from igloo_media.policies.objects import original_key, originals_prefix
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.account_tasks import leave, work
from media.answers import code_of
from media.bad_hours import through
from media.conftest import Person, events, item, let_time_pass, send
from media.sending_parts import LARGE, begin, large_upload, open_in_s3, put, send_parts


def noted() -> int:
    """Count what is still to be aborted."""
    with reading() as reader:
        count: int = reader.execute(text("SELECT count(*) FROM abandoned_parts")).scalar_one()
        return count


def test_parts_may_be_given_up_for_the_whole_file(ana: Person, storage: Storage) -> None:
    (upload,) = ana.ask(LARGE)
    parts = f"/v1/uploads/{upload['id']}/parts"
    first, second = begin(ana, upload["id"])
    put(first)

    assert [ana.call("DELETE", parts).status_code for _ in range(2)] == [204, 204]
    abort_abandoned(storage)

    assert (open_in_s3(storage, ana.id), noted()) == ([], 0)
    assert code_of(ana.call("GET", parts)) == (409, "not_in_parts")
    assert put(second).status_code == 404
    assert send(upload["target"], LARGE).status_code == 204
    assert ana.call("POST", f"/v1/uploads/{upload['id']}/complete").status_code == 200


def test_parts_may_be_begun_anew_after_they_were_given_up(ana: Person, storage: Storage) -> None:
    upload_id = large_upload(ana)
    put(begin(ana, upload_id)[0])
    ana.call("DELETE", f"/v1/uploads/{upload_id}/parts")

    assert [part["arrived"] for part in begin(ana, upload_id)] == [False, False]
    abort_abandoned(storage)

    assert open_in_s3(storage, ana.id) == [item(upload_id).multipart_id]
    send_parts(ana, upload_id)
    assert ana.call("POST", f"/v1/uploads/{upload_id}/complete").status_code == 200


def test_parts_that_s3_has_forgotten_are_begun_anew(ana: Person, storage: Storage) -> None:
    upload_id = large_upload(ana)
    begin(ana, upload_id)
    storage.abort_parts(original_key(ana.id, UUID(upload_id)), item(upload_id).multipart_id)

    assert code_of(ana.call("GET", f"/v1/uploads/{upload_id}/parts")) == (409, "not_in_parts")
    assert code_of(ana.call("POST", f"/v1/uploads/{upload_id}/complete")) == (409, "upload_missing")
    send_parts(ana, upload_id)
    assert ana.call("POST", f"/v1/uploads/{upload_id}/complete").status_code == 200


def test_a_cancelled_upload_leaves_no_parts(ana: Person, ben: Person, storage: Storage) -> None:
    upload_id, noise = large_upload(ana), large_upload(ben)
    put(begin(ana, upload_id)[0])
    begin(ben, noise)

    ana.call("DELETE", f"/v1/uploads/{upload_id}")
    abort_abandoned(storage)

    assert (open_in_s3(storage, ana.id), noted()) == ([], 0)
    assert open_in_s3(storage, ben.id) == [item(noise).multipart_id]


def test_what_is_to_be_aborted_is_remembered_while_s3_is_away(
    ana: Person, storage: Storage, settings: Settings
) -> None:
    upload_id = large_upload(ana)
    begin(ana, upload_id)
    ana.call("DELETE", f"/v1/uploads/{upload_id}")

    with pytest.raises(StorageUnavailable):
        abort_abandoned(Storage(replace(settings.storage, endpoint="http://127.0.0.1:9")))
    assert noted() == 1
    let_time_pass(hours=0.1)
    abort_abandoned(storage)

    assert (open_in_s3(storage, ana.id), noted()) == ([], 0)


@pytest.mark.parametrize("answer", [(500, "InternalError"), (404, "NoSuchKey")])
def test_one_upload_on_which_s3_errs_keeps_no_other_from_being_aborted(
    answer: tuple[int, str], ana: Person, storage: Storage, settings: Settings, faulty: FaultyS3
) -> None:
    bad, *others = (large_upload(ana) for _ in range(4))
    for upload_id in (bad, *others):
        begin(ana, upload_id)
        ana.call("DELETE", f"/v1/uploads/{upload_id}")
    shaky = through(faulty, settings.storage)
    status, code = answer

    with faulty.broken(Fault.ANSWER, status=status, code=code, key=f"originals/*/{bad}"):
        with pytest.raises(StorageUnavailable):
            abort_abandoned(shaky)
        assert noted() == 1
        asked = faulty.asked("DELETE", "originals/*")
        abort_abandoned(shaky)
        assert faulty.asked("DELETE", "originals/*") == asked, "it is put off"

    let_time_pass(hours=0.1)
    abort_abandoned(shaky)
    assert (open_in_s3(storage, ana.id), noted()) == ([], 0)


def test_s3_that_errs_on_every_upload_is_not_asked_about_all_of_them(
    ana: Person, settings: Settings, faulty: FaultyS3
) -> None:
    for _ in range(FAILURES_OF_S3 + 2):
        upload_id = large_upload(ana)
        begin(ana, upload_id)
        ana.call("DELETE", f"/v1/uploads/{upload_id}")

    with faulty.broken(Fault.ANSWER, method="DELETE"):
        with pytest.raises(StorageUnavailable):
            abort_abandoned(through(faulty, settings.storage))
        assert faulty.asked("DELETE", "originals/*") == FAILURES_OF_S3

    abort_abandoned(Storage(settings.storage))
    assert noted() == FAILURES_OF_S3, "the others have not been put off"


def test_the_sweeper_joins_parts_that_have_all_arrived(ana: Person, storage: Storage) -> None:
    whole, half = large_upload(ana), large_upload(ana)
    send_parts(ana, whole)
    put(begin(ana, half)[0])
    let_time_pass(hours=0.1)

    sweep_uploads(storage)
    abort_abandoned(storage)

    assert (item(whole).state, item(whole).multipart_id, item(half).state) == ("uploaded", None, "pending")
    assert storage.size_of(original_key(ana.id, UUID(whole))) == len(LARGE)
    assert open_in_s3(storage, ana.id) == [item(half).multipart_id]


def test_parts_that_never_became_whole_expire(ana: Person, storage: Storage) -> None:
    upload_id = large_upload(ana)
    put(begin(ana, upload_id)[0])
    let_time_pass(hours=2)

    sweep_uploads(storage)
    abort_abandoned(storage)

    assert ana.call("GET", f"/v1/uploads/{upload_id}").get_json()["state"] == "expired"
    assert (open_in_s3(storage, ana.id), noted()) == ([], 0)
    (failed,) = events("media.item.failed.v1")
    assert (failed["media_id"], failed["code"]) == (upload_id, "upload_expired")


def test_of_a_deleted_account_no_part_stays(
    ana: Person, ben: Person, storage: Storage, account_lane: AccountTaskLane
) -> None:
    upload_id, noise = large_upload(ana), large_upload(ben)
    first, _ = begin(ana, upload_id)
    put(first)
    begin(ben, noise)
    # One more, of which no row knows: the process that began it has died.
    storage.begin_parts(f"{originals_prefix(ana.id)}{new_id()}", content_type="image/jpeg")

    leave(ana.id)
    work(account_lane)

    assert open_in_s3(storage, ana.id) == []
    assert len(events("media.account.erased.v1")) == 1
    assert (
        requests.put(first["target"]["url"], data=LARGE[: first["size_bytes"]], timeout=20).status_code == 404
    )
    assert open_in_s3(storage, ben.id) == [item(noise).multipart_id]


def test_the_bucket_itself_drops_parts_that_nobody_knows_of(storage: Storage) -> None:
    rules = storage.inside.get_bucket_lifecycle_configuration(Bucket=storage.bucket)["Rules"]

    dropping = [rule for rule in rules if "AbortIncompleteMultipartUpload" in rule]
    assert [rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] for rule in dropping] == [1]
    assert [(rule["Status"], rule["Filter"]["Prefix"]) for rule in dropping] == [("Enabled", "")]
