"""Forms that are refused, whole: nothing of them is kept in the database, in S3 or on disk."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from igloo_common.database import reading
from igloo_common.seats import Seats
from igloo_common.web import provide, provided
from igloo_media.policies.uploads import MAX_FILE_BYTES
from igloo_media.schemas.media_forms import MAX_FORM_BYTES
from media.conftest import Person
from media.test_media_forms import FOX, HARE, Texts, form, send, taken

HEAD = HARE[:64]
PDF = b"%PDF-1.7 of an arctic fox"
TYPE = 'multipart/form-data; boundary="x"'


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Have all temporary files in one place, which is empty when the request is over."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(autouse=True)
def nothing_new(app: Flask, ana: Person) -> Iterator[None]:
    """Hold that the person has no upload when the test is over."""
    yield
    with reading() as reader:
        count = text("SELECT count(*) FROM media_items WHERE owner_id = :id AND state <> 'deleted'")
        assert reader.scalar(count, {"id": ana.id}) == 0


def part(disposition: str, content: bytes = b"") -> bytes:
    return b"--x\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n" + content + b"\r\n"


def post(person: Person, body: bytes, content_type: str = TYPE) -> TestResponse:
    return person.call("POST", "/v1/media", input_stream=BytesIO(body), content_type=content_type)


def refusal(answer: TestResponse) -> tuple[int, list[tuple[str, str]]]:
    """Return a refusal's status, and what it points to."""
    assert answer.content_type == "application/problem+json", answer.text
    entries = answer.get_json().get("errors", ())
    return answer.status_code, [(entry["pointer"], entry["code"]) for entry in entries]


FILE = part('form-data; name="files"; filename="a"', HARE)
END = b"--x--\r\n"


@pytest.mark.parametrize(
    ("files", "pointed"),
    [
        ((), [("/files", "required")]),
        ((HARE, b"", FOX), [("/files/1", "empty_file")]),
        ((HARE, PDF, b"", FOX), [("/files/1", "unsupported_format"), ("/files/2", "empty_file")]),
        ((b"<svg xmlns='http://www.w3.org/2000/svg'/>",), [("/files/0", "unsupported_format")]),
        ((HEAD,) * 11, [("/files", "invalid_length")]),
    ],
    ids=["none", "empty", "two wrong", "svg", "eleven"],
)
def test_files_that_are_wrong_are_pointed_to(
    ana: Person, files: tuple[bytes, ...], pointed: list[tuple[str, str]]
) -> None:
    assert refusal(send(ana, *files)) == (422, pointed)


@pytest.mark.parametrize(
    ("texts", "pointed"),
    [
        ({"alt_text": ["a", "b"]}, [("/alt_text", "invalid_length")]),
        ({"alt_text": ["a"] * 11}, [("/alt_text", "invalid_length")]),
        ({"alt_text": ["x" * 1001]}, [("/alt_text/0", "invalid_length")]),
        ({"alt_text": ["x" * 17_000]}, [("/alt_text/0", "too_long")]),
        ({"alt_text": ["a\0b"]}, [("/alt_text/0", "null_character")]),
        ({"client_id": ["x" * 65]}, [("/client_id/0", "invalid_length")]),
        ({"focal_point": ["0.5"]}, [("/focal_point/0", "invalid_type")]),
        ({"focal_point": ["nan,0"]}, [("/focal_point/0", "invalid_type")]),
        ({"focal_point": ["0.5,1.5"]}, [("/focal_point/0/y", "out_of_range")]),
        ({"sha256": ["12"]}, [("/sha256/0", "invalid")]),
        ({"sha256": ["0" * 64]}, [("/sha256/0", "checksum_mismatch")]),
        ({"caption": ["snow"]}, [("/caption", "unknown_field")]),
        ({"x" * 5000: ["snow"]}, [("/" + "x" * 256, "unknown_field")]),
    ],
    ids=lambda value: next(iter(value))[:20] if isinstance(value, dict) else "",
)
def test_texts_that_are_wrong_are_pointed_to(
    ana: Person, texts: Texts, pointed: list[tuple[str, str]]
) -> None:
    assert refusal(send(ana, HARE, **texts)) == (422, pointed)


def test_two_files_of_one_client_id_are_refused(ana: Person) -> None:
    answer = send(ana, HARE, FOX, client_id=["hare", "hare"])

    assert refusal(answer) == (422, [("/client_id/0", "invalid"), ("/client_id/1", "invalid")])


def test_a_file_that_is_too_large_is_refused_before_it_has_all_come(ana: Person) -> None:
    large = HEAD + bytes(MAX_FILE_BYTES + 3_000_000)

    answer = post(ana, FILE + part('form-data; name="files"; filename="b"', large))

    assert refusal(answer) == (413, [("/files/1", "file_too_large")])


def test_a_form_beyond_all_limits_is_not_even_looked_at(ana: Person) -> None:
    answer = ana.call(
        "POST",
        "/v1/media",
        data=FILE,
        content_type=TYPE,
        environ_overrides={"CONTENT_LENGTH": str(MAX_FORM_BYTES + 1)},
    )

    assert (answer.status_code, answer.get_json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form at all",
        FILE,
        FILE + b"--x",
        FILE[:-40],
        b"--x--\r\n"[:4],
        part("form-data", b"nameless") + END,
        b"--x\r\nContent-Type: image/jpeg\r\n\r\n" + HARE + b"\r\n--x--\r\n",
        b"--x\r\n\xff\xfe: \xff\r\n\r\n" + HARE + b"\r\n--x--\r\n",
    ],
    ids=["empty", "text", "no end", "half an end", "in a file", "half", "no name", "no disposition", "bytes"],
)
def test_a_form_that_cannot_be_read_is_malformed(ana: Person, body: bytes) -> None:
    answer = post(ana, body)

    assert (answer.status_code, answer.get_json()["code"]) == (400, "malformed_form")


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", 'multipart/form-data; boundary=""', f"multipart/form-data; boundary={'b' * 71}"],
)
def test_a_boundary_that_is_none_is_malformed(ana: Person, content_type: str) -> None:
    answer = post(ana, FILE + END, content_type)

    assert (answer.status_code, answer.get_json()["code"]) == (400, "malformed_form")


@pytest.mark.parametrize(
    "content_type", ["application/json", "image/jpeg", "multipart/mixed; boundary=x", ""]
)
def test_what_is_no_form_is_another_type(ana: Person, content_type: str) -> None:
    assert refusal(post(ana, FILE + END, content_type))[0] == 415


@pytest.mark.parametrize(
    "body",
    [
        b"x" * 200_000 + b"\r\n" + FILE + END,
        FILE + END + b"x" * 200_000,
        b"--x\r\nContent-Disposition: form-data; name=" + b"n" * 200_000,
    ],
    ids=["before", "after", "header"],
)
def test_what_a_form_makes_one_keep_in_memory_is_bounded(ana: Person, body: bytes) -> None:
    assert refusal(post(ana, body))[0] == 413


def test_a_file_under_another_name_is_refused(ana: Person) -> None:
    body = FILE + part('form-data; name="photo"; filename="b.jpg"', HARE) + END

    assert refusal(post(ana, body)) == (422, [("/photo", "unknown_field")])


def test_text_that_is_no_utf_8_is_refused(ana: Person) -> None:
    body = FILE + part('form-data; name="alt_text"', b"\xff\xfe") + END

    assert refusal(post(ana, body)) == (422, [("/alt_text/0", "invalid_type")])


@pytest.fixture
def full_disk() -> Iterator[Callable[[], None]]:
    """Give a way to let no file of this process grow beyond 100,000 bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_said_and_nothing_is_left(ana: Person, full_disk: Callable[[], None]) -> None:
    body: dict[str, Any] = form(HARE, HEAD + bytes(300_000))
    full_disk()

    answer = ana.call("POST", "/v1/media", **body)

    assert (answer.status_code, answer.get_json()["code"]) == (503, "no_room_on_disk")
    assert int(answer.headers["Retry-After"]) > 0


def test_forms_take_no_more_than_half_of_the_threads(app: Flask, ana: Person, ben: Person) -> None:
    usual = provided(Seats)
    provide(app, Seats(1))
    with provided(Seats).taken():
        answer = send(ana, HARE)
    taken(send(ben, HARE))
    provide(app, usual)

    assert (answer.status_code, answer.get_json()["code"]) == (503, "all_seats_taken")


def test_text_where_a_file_should_be_is_no_photo(ana: Person) -> None:
    parts = MultiDict({"files": "text where a file should be"})

    answer = ana.call("POST", "/v1/media", data=parts, content_type="multipart/form-data")

    assert refusal(answer) == (422, [("/files/0", "unsupported_format")])
