"""Asking for targets, sending photos to them, and completing: as an app does it, and as it goes wrong."""

from __future__ import annotations

from hashlib import sha256

from factories import photos
from igloo_common.ids import new_id
from igloo_media.schemas.uploads import UploadPageSchema, UploadSchema, UploadsSchema
from media.answers import code_of
from media.conftest import Person, change, events, item, let_time_pass, send

PHOTO = photos.jpeg(64, 48)
FILE = {"content_type": "image/jpeg", "size_bytes": len(PHOTO)}


def test_three_photos_are_asked_for_in_one_call_sent_and_completed(ana: Person) -> None:
    files = [photos.jpeg(64, 48, seed=n) for n in range(3)]
    uploads = ana.ask(*files)

    assert [upload["state"] for upload in uploads] == ["pending"] * 3
    assert [upload["media_id"] for upload in uploads] == [upload["id"] for upload in uploads]
    for upload, file in zip(uploads, files, strict=True):
        assert send(upload["target"], file).status_code == 204
        completed = ana.call("POST", f"/v1/uploads/{upload['id']}/complete")
        assert completed.status_code == 200
        assert completed.get_json()["state"] == "processing"
        assert completed.get_json()["target"] is None


def test_replies_are_as_documented(ana: Person) -> None:
    answer = ana.call("POST", "/v1/uploads", json={"files": [FILE]})
    upload_id = answer.get_json()["data"][0]["id"]

    assert UploadsSchema().validate(answer.get_json()) == {}
    assert UploadSchema().validate(ana.call("GET", f"/v1/uploads/{upload_id}").get_json()) == {}
    assert UploadPageSchema().validate(ana.call("GET", "/v1/uploads").get_json()) == {}


def test_completing_is_idempotent(ana: Person) -> None:
    (media_id,) = ana.upload(PHOTO)

    again = ana.call("POST", f"/v1/uploads/{media_id}/complete")

    assert (again.status_code, again.get_json()["state"]) == (200, "processing")


def test_completing_without_sending_is_refused_and_may_be_repeated_after_sending(ana: Person) -> None:
    (upload,) = ana.ask(PHOTO)
    complete = f"/v1/uploads/{upload['id']}/complete"

    assert code_of(ana.call("POST", complete)) == (409, "upload_missing")
    send(upload["target"], PHOTO)
    assert ana.call("POST", complete).status_code == 200


def test_a_larger_file_than_announced_never_arrives(ana: Person) -> None:
    (upload,) = ana.ask(PHOTO)

    assert send(upload["target"], PHOTO + b"more").status_code == 400
    assert code_of(ana.call("POST", f"/v1/uploads/{upload['id']}/complete")) == (409, "upload_missing")


def test_an_object_of_another_size_is_not_taken(ana: Person) -> None:
    (upload,) = ana.ask(PHOTO)
    send(upload["target"], PHOTO)
    change(upload["id"], size_bytes=len(PHOTO) + 1)

    assert code_of(ana.call("POST", f"/v1/uploads/{upload['id']}/complete")) == (409, "upload_size_mismatch")


def test_completing_after_the_time_is_over_says_so(ana: Person) -> None:
    (upload,) = ana.ask(PHOTO)
    let_time_pass(hours=2)

    assert code_of(ana.call("POST", f"/v1/uploads/{upload['id']}/complete")) == (410, "upload_expired")


def test_a_file_that_came_in_time_may_be_completed_late(ana: Person) -> None:
    (upload,) = ana.ask(PHOTO)
    send(upload["target"], PHOTO)
    let_time_pass(hours=2)

    assert ana.call("POST", f"/v1/uploads/{upload['id']}/complete").status_code == 200


def test_uploads_of_others_are_not_found(ana: Person, ben: Person) -> None:
    (upload,) = ana.ask(PHOTO)
    path = f"/v1/uploads/{upload['id']}"

    assert code_of(ben.call("GET", path)) == (404, "upload_not_found")
    assert code_of(ben.call("POST", f"{path}/complete")) == (404, "upload_not_found")
    assert ben.call("DELETE", path).status_code == 404
    assert ben.call("GET", "/v1/uploads").get_json()["data"] == []
    assert ana.call("GET", path).status_code == 200


def test_an_unknown_upload_is_not_found(ana: Person) -> None:
    assert code_of(ana.call("GET", f"/v1/uploads/{new_id()}")) == (404, "upload_not_found")


def test_a_killed_app_finds_what_is_pending_and_goes_on(ana: Person, ben: Person) -> None:
    (done,) = ana.upload(PHOTO)
    (pending,) = ana.ask(PHOTO)
    ben.ask(PHOTO)

    found = ana.call("GET", "/v1/uploads?state=pending").get_json()["data"]

    assert [upload["id"] for upload in found] == [pending["id"]]
    assert send(found[0]["target"], PHOTO).status_code == 204
    processing = ana.call("GET", "/v1/uploads?state=processing").get_json()["data"]
    assert [upload["id"] for upload in processing] == [str(done)]


def test_the_list_is_paged_newest_first_and_back(ana: Person) -> None:
    ids = [ana.ask(PHOTO)[0]["id"] for _ in range(5)]

    first = ana.call("GET", "/v1/uploads?limit=2").get_json()
    second = ana.call("GET", f"/v1/uploads?limit=2&cursor={first['page']['next_cursor']}").get_json()
    back = ana.call("GET", f"/v1/uploads?limit=2&cursor={second['page']['prev_cursor']}").get_json()

    assert [upload["id"] for upload in first["data"] + second["data"]] == ids[:0:-1]
    assert [upload["id"] for upload in back["data"]] == ids[:2:-1]


def test_a_cursor_of_another_list_is_refused(ana: Person) -> None:
    ana.ask(PHOTO)
    cursor = ana.call("GET", "/v1/uploads").get_json()["page"]["prev_cursor"]

    assert code_of(ana.call("GET", f"/v1/uploads?state=failed&cursor={cursor}")) == (400, "invalid_cursor")


def test_a_cancelled_upload_is_gone_and_announced_as_failed(ana: Person) -> None:
    (upload,) = ana.ask(PHOTO)

    assert ana.call("DELETE", f"/v1/uploads/{upload['id']}").status_code == 204

    assert ana.call("GET", f"/v1/uploads/{upload['id']}").status_code == 404
    assert code_of(ana.call("DELETE", f"/v1/uploads/{upload['id']}")) == (404, "upload_not_found")
    assert item(upload["id"]).state == "deleted"
    (failed,) = events("media.item.failed.v1")
    assert (failed["media_id"], failed["code"]) == (upload["id"], "media_deleted")


def test_a_checksum_is_kept(ana: Person) -> None:
    (upload,) = ana.ask(PHOTO, sha256=sha256(PHOTO).hexdigest().upper())

    assert bytes(item(upload["id"]).sha256) == sha256(PHOTO).digest()


def test_nobody_uploads_without_a_token(ana: Person) -> None:
    answer = ana.client.post("/v1/uploads", json={"files": [FILE]})

    assert code_of(answer) == (401, "authentication_required")
