"""A photo is shown when media allows it: bytes from S3, both kept for a while, and nothing of S3's shows."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.upstreams import Answer, Received, Upstream
from gateway.wire import Wire
from igloo_local.waiting import wait_until

PHOTO = b"RIFF____WEBP" + bytes(range(256)) * 40
OBJECT = "/igloo/renditions/photo.webp?X-Amz-Signature=5ec2e7&X-Amz-Expires=300"
LIFETIME = "public, max-age=3600, immutable"
DECISION = {"X-Igloo-Object": OBJECT, "Cache-Control": LIFETIME}
S3_HEADERS = {
    "Content-Type": "image/webp",
    "ETag": '"9f2c"',
    "Last-Modified": "Mon, 02 Nov 2026 10:00:00 GMT",
    "Accept-Ranges": "bytes",
    "x-amz-request-id": "S3REQUEST",
    "x-amz-id-2": "S3HOST",
    "Seaweed-X-Amz-Owner": "admin",
    "Content-Disposition": "attachment",
    "Cache-Control": "max-age=1",
    "Set-Cookie": "s3=1",
}


@pytest.fixture
def media(upstreams: Mapping[str, Upstream]) -> Upstream:
    upstreams["media"].answer(Answer(status=204, headers=DECISION))
    return upstreams["media"]


@pytest.fixture
def s3(upstreams: Mapping[str, Upstream]) -> Upstream:
    upstreams["s3"].answer(Answer(body=PHOTO, headers=S3_HEADERS))
    return upstreams["s3"]


@pytest.fixture
def address() -> str:
    """Give an address that no other test asked for, since answers are kept."""
    return f"/media/{uuid.uuid4()}/feed?expires=1900000000&signature=a0b1"


def test_an_allowed_photo_is_shown(wire: Wire, media: Upstream, s3: Upstream, address: str) -> None:
    reply = wire.get(address, Authorization="Bearer abc", Cookie="a=b")

    assert reply.status == 200
    assert reply.body == PHOTO
    assert media.last.target == "/internal/renditions/authorize"
    assert media.last.headers["x-original-uri"] == address
    assert media.last.headers["x-request-id"] == reply.headers["x-request-id"]
    assert s3.last.target == OBJECT
    assert s3.last.headers["host"] == s3.address
    assert {"authorization", "cookie", "x-request-id", "x-original-uri"}.isdisjoint(s3.last.headers)


def test_a_photo_carries_our_headers_and_none_of_s3s(
    wire: Wire, media: Upstream, s3: Upstream, address: str
) -> None:
    headers = wire.get(address).headers

    assert media.received
    assert s3.received
    assert headers["content-type"] == "image/webp"
    assert headers["cache-control"] == LIFETIME
    photo_id = address.split("/")[2]
    assert headers["content-disposition"] == f'inline; filename="{photo_id}-feed.webp"'
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["etag"] == '"9f2c"'
    assert not [
        name for name in headers if name.startswith("x-amz") or name in {"set-cookie", "x-igloo-object"}
    ]


def test_a_photo_seen_again_asks_neither_python_nor_s3(
    wire: Wire, media: Upstream, s3: Upstream, address: str
) -> None:
    assert [wire.get(address).body for _ in range(4)] == [PHOTO] * 4
    assert len(media.received) == 1
    assert len(s3.received) == 1


def test_another_signature_is_decided_anew_but_read_from_the_cache(
    wire: Wire, media: Upstream, s3: Upstream, address: str
) -> None:
    wire.get(address)
    wire.get(address.replace("a0b1", "c2d3"))

    assert len(media.received) == 2
    assert len(s3.received) == 1


def test_a_kept_photo_is_not_shown_to_who_may_not_see_it(
    wire: Wire, media: Upstream, s3: Upstream, address: str
) -> None:
    wire.get(address)
    media.answer(Answer(status=403, body=b"{}"))

    reply = wire.get(address.replace("a0b1", "c2d3"))

    assert reply.status == 403
    assert reply.json()["code"] == "forbidden"
    assert reply.headers["cache-control"] == "no-store"
    assert len(s3.received) == 1


@pytest.mark.parametrize(("refusal", "code"), [(403, "forbidden"), (404, "not_found")])
def test_a_refused_photo_is_a_problem(
    wire: Wire, media: Upstream, address: str, refusal: int, code: str
) -> None:
    media.answer(Answer(status=refusal, body=b"{}"))

    reply = wire.get(address)

    assert reply.status == refusal
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["code"] == code
    assert reply.json()["status"] == refusal


def test_a_refusal_is_not_kept(wire: Wire, media: Upstream, s3: Upstream, address: str) -> None:
    media.answer(Answer(status=404))
    wire.get(address)
    media.answer(Answer(status=204, headers={"X-Igloo-Object": OBJECT}))

    assert wire.get(address).status == 200
    assert s3.received


@pytest.mark.parametrize("trouble", [Answer(status=500), Answer(status=503), Answer(hang_up=True)])
def test_a_photo_that_nobody_can_decide_on_is_unavailable(
    wire: Wire, media: Upstream, s3: Upstream, address: str, trouble: Answer
) -> None:
    media.answer(trouble)

    reply = wire.get(address)

    assert reply.status == 503
    assert reply.json()["code"] == "unavailable"
    assert reply.headers["retry-after"] == "2"
    assert s3.received == []


@pytest.mark.parametrize(
    "trouble",
    [
        (Answer(status=404, body=b"<Error/>"), 404, "not_found"),
        (Answer(status=403, body=b"<Error/>"), 502, "bad_gateway"),
        (Answer(status=503, body=b"<Error/>"), 502, "bad_gateway"),
        (Answer(hang_up=True), 502, "bad_gateway"),
    ],
)
def test_s3s_own_errors_are_told_as_problems_and_not_kept(
    wire: Wire, media: Upstream, s3: Upstream, address: str, trouble: tuple[Answer, int, str]
) -> None:
    answer, status, code = trouble
    s3.answer(answer)
    reply = wire.get(address)
    s3.answer(Answer(body=PHOTO, headers=S3_HEADERS))

    assert media.received
    assert reply.status == status
    assert reply.json()["code"] == code
    assert wire.get(address).body == PHOTO


def test_a_part_of_a_photo_can_be_asked_for(wire: Wire, media: Upstream, s3: Upstream, address: str) -> None:
    first, kept = wire.get(address, Range="bytes=0-3"), wire.get(address, Range="bytes=-2")

    assert media.received
    assert (first.status, first.body) == (206, b"RIFF")
    assert (kept.status, kept.body) == (206, PHOTO[-2:])
    assert kept.headers["content-range"] == f"bytes {len(PHOTO) - 2}-{len(PHOTO) - 1}/{len(PHOTO)}"
    assert len(s3.received) == 1


def test_a_range_outside_the_photo_is_a_problem(
    wire: Wire, media: Upstream, s3: Upstream, address: str
) -> None:
    wire.get(address)
    reply = wire.get(address, Range="bytes=999999-")

    assert media.received
    assert s3.received
    assert reply.status == 416
    assert reply.json()["code"] == "range_not_satisfiable"
    assert reply.json()["request_id"] == reply.headers["x-request-id"]
    assert reply.headers["cache-control"] == "no-store"


def test_an_unchanged_photo_is_not_sent_again(
    wire: Wire, media: Upstream, s3: Upstream, address: str
) -> None:
    assert wire.get(address, If_Modified_Since=S3_HEADERS["Last-Modified"]).status == 304
    assert wire.get(address, If_None_Match='"9f2c"').status == 304
    assert wire.get(address, If_None_Match='"other"').status == 200
    assert media.received
    assert len(s3.received) == 1


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize(
    "condition", [{"If-Match": '"other"'}, {"If-Unmodified-Since": "Sun, 01 Nov 2026 10:00:00 GMT"}]
)
def test_a_photo_that_does_not_meet_a_condition_is_a_problem(
    wire: Wire, media: Upstream, s3: Upstream, address: str, condition: dict[str, str], *, kept: bool
) -> None:
    if kept:
        assert wire.get(address).status == 200

    reply = wire.get(address, **condition)

    assert media.received
    assert s3.received
    assert reply.status == 412
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["cache-control"] == "no-store"
    assert (reply.json()["code"], reply.json()["status"]) == ("precondition_failed", 412)


def test_a_head_request_tells_the_size(wire: Wire, media: Upstream, s3: Upstream, address: str) -> None:
    reply = wire.request("HEAD", address)

    assert media.received[0].method == "GET"
    assert s3.received[0].method == "GET"
    assert reply.status == 200
    assert reply.headers["content-length"] == str(len(PHOTO))
    assert reply.body == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_a_photo_can_only_be_read(wire: Wire, media: Upstream, address: str, method: str) -> None:
    reply = wire.request(method, address, body=b"{}")

    assert reply.status == 405
    assert reply.json()["code"] == "method_not_allowed"
    assert reply.headers["allow"] == "GET, HEAD"
    assert media.received == []


@pytest.mark.parametrize(
    "target",
    [
        "/media/",
        "/media/0190-ab",
        "/media/0190-ab/",
        "/media/0190-ab/Feed",
        "/media/0190-AB/feed",
        "/media/0190-ab/%66eed",
        "/media/0190-ab/feed/x",
        "/media//0190-ab/feed",
        "/media/x/../0190-ab/feed",
        "/igloo/renditions/photo.webp",
    ],
)
def test_an_address_with_another_spelling_is_not_found(wire: Wire, media: Upstream, target: str) -> None:
    assert wire.get(f"{target}?expires=1&signature=a").json()["code"] == "not_found"
    assert media.received == []


def test_the_same_photo_asked_for_at_once_is_fetched_once(
    wire: Wire, media: Upstream, s3: Upstream, address: str
) -> None:
    released = threading.Event()
    s3.answer(Answer(body=PHOTO, headers=S3_HEADERS, hold=released))

    with ThreadPoolExecutor(8) as pool:
        replies = [pool.submit(wire.get, address) for _ in range(8)]
        wait_until(lambda: bool(s3.received), seconds=5, what="the photo being fetched")
        released.set()

    assert {reply.result().body for reply in replies} == {PHOTO}
    assert len(s3.received) == 1
    # Its answer is there at once, and who looked just before may still ask again.
    assert len(media.received) < 8


def test_a_decision_names_the_object_and_nothing_else_can(
    wire: Wire, media: Upstream, s3: Upstream, address: str
) -> None:
    def decide(received: Received) -> Answer:
        return Answer(
            status=204,
            headers={"X-Igloo-Object": f"/igloo/for/{received.headers['x-original-uri'].split('/')[2]}"},
        )

    media.behave = decide
    wire.get(address, X_Igloo_Object="/igloo/originals/secret")

    assert s3.last.target == f"/igloo/for/{address.split('/')[2]}"
