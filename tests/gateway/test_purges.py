"""A photo that media has withdrawn is shown no more, however lately somebody was allowed to see it."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.nginx_process import GATEWAY, NginxProcess
from gateway.upstreams import Answer, Upstream
from gateway.wire import Reply, Wire
from igloo_local.waiting import wait_until
from igloo_media.policies.purges import DECISION_LIFETIME

PHOTO = b"RIFF____WEBP" + bytes(range(256)) * 40
ANSWER = Answer(body=PHOTO, headers={"Content-Type": "image/webp", "ETag": '"9f2c"'})


@pytest.fixture
def purges(gateway: NginxProcess) -> Iterator[Wire]:
    """Give a way to the listener that the services alone reach; nothing said there may end a process."""
    yield Wire(port=gateway.purge_port)
    assert "exited on signal" not in (gateway.folder / "error.log").read_text()


@pytest.fixture
def path() -> str:
    """Give a path that no other test asked for, since answers are kept."""
    return f"/media/{uuid.uuid4()}/feed"


@pytest.fixture
def s3(upstreams: Mapping[str, Upstream]) -> Upstream:
    """Let media allow everything, and S3 have every photo: only a purge can refuse one."""
    upstreams["media"].answer(Answer(status=204, headers={"X-Igloo-Object": "/igloo/renditions/photo.webp"}))
    upstreams["s3"].answer(ANSWER)
    return upstreams["s3"]


def signed(path: str, signature: str = "a0b1") -> str:
    return f"{path}?expires=1900000000&signature={signature}"


def is_purge(reply: Reply) -> bool:
    return (reply.status, reply.headers.get("x-igloo-purged")) == (404, "yes")


def assert_gone(reply: Reply) -> None:
    assert (reply.status, reply.json()["code"], reply.json()["status"]) == (404, "not_found", 404)
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["cache-control"] == "no-store"
    assert {"etag", "content-disposition", "x-igloo-purged"}.isdisjoint(reply.headers)


def test_a_purged_photo_is_refused_at_once_to_who_was_allowed(
    wire: Wire, purges: Wire, s3: Upstream, path: str
) -> None:
    assert wire.get(signed(path)).body == PHOTO

    assert is_purge(purges.request("PURGE", path))

    assert_gone(wire.get(signed(path)))
    assert_gone(wire.get(signed(path), If_None_Match='"9f2c"'))
    assert_gone(wire.get(signed(path), Range="bytes=0-3"))
    assert_gone(wire.get(signed(path, "c2d3")))
    assert wire.request("HEAD", signed(path)).status == 404
    assert len(s3.received) == 1


def test_a_photo_that_was_never_kept_is_refused_as_well(
    wire: Wire, purges: Wire, s3: Upstream, path: str
) -> None:
    assert is_purge(purges.request("PURGE", path))
    assert is_purge(purges.request("PURGE", path))

    assert_gone(wire.get(signed(path)))
    assert s3.received == []


def test_no_byte_of_a_purged_photo_stays_on_the_disk(
    gateway: NginxProcess, wire: Wire, purges: Wire, s3: Upstream, path: str
) -> None:
    mark = uuid.uuid4().bytes
    s3.answer(Answer(body=PHOTO + mark, headers={"Content-Type": "image/webp"}))
    wire.get(signed(path))
    kept = gateway.folder / "rendition-cache"
    assert [file for file in kept.rglob("*") if file.is_file() and mark in file.read_bytes()]

    purges.request("PURGE", path)

    assert not [file for file in kept.rglob("*") if file.is_file() and mark in file.read_bytes()]


def test_other_photos_and_sizes_stay(wire: Wire, purges: Wire, s3: Upstream, path: str) -> None:
    other = path.replace("/feed", "/full")
    wire.get(signed(other))

    purges.request("PURGE", path)

    assert wire.get(signed(other)).body == PHOTO
    assert len(s3.received) == 1


def test_a_photo_on_its_way_into_the_cache_is_out_of_it_with_the_next_purge(
    wire: Wire, purges: Wire, s3: Upstream, path: str
) -> None:
    released = threading.Event()
    s3.answer(Answer(body=PHOTO, headers={"Content-Type": "image/webp"}, hold=released))
    with ThreadPoolExecutor(1) as pool:
        on_its_way = pool.submit(wire.get, signed(path))
        wait_until(lambda: bool(s3.received), seconds=5, what="the photo being fetched")
        purges.request("PURGE", path)
        released.set()
        assert on_its_way.result().body == PHOTO

    purges.request("PURGE", path)

    assert_gone(wire.get(signed(path)))


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_a_purge_is_asked_for_by_its_name(
    wire: Wire, purges: Wire, s3: Upstream, path: str, method: str
) -> None:
    assert purges.request(method, path).status == 405
    assert wire.get(signed(path)).body == PHOTO


@pytest.mark.parametrize("target", ["/", "/media/", "/_purge/media/0190-ab/feed", "/v1/posts", "/healthz"])
def test_that_listener_knows_nothing_else(purges: Wire, target: str) -> None:
    for reply in (purges.request("PURGE", target), purges.get(target)):
        assert reply.status == 404
        assert not is_purge(reply)


def test_nobody_purges_through_the_gateways_own_address(wire: Wire, s3: Upstream, path: str) -> None:
    assert wire.request("PURGE", path).status == 405
    assert wire.get(f"/_purge{path}").status == 404
    assert wire.get(signed(path)).body == PHOTO


def test_an_older_address_shows_and_purges_what_the_newer_one_does(
    wire: Wire, purges: Wire, upstreams: Mapping[str, Upstream], s3: Upstream, path: str
) -> None:
    newest = f"{path}_2"
    decision = {"X-Igloo-Object": "/igloo/renditions/photo_2.webp", "X-Igloo-Rendition": newest}
    upstreams["media"].answer(Answer(status=204, headers=decision))
    assert [wire.get(signed(each)).body for each in (path, newest)] == [PHOTO, PHOTO]
    assert len(s3.received) == 1

    purges.request("PURGE", newest)

    for each in (path, newest):
        assert_gone(wire.get(signed(each)))


def test_a_photo_is_refused_for_longer_than_a_decision_is_kept() -> None:
    template = (GATEWAY / "nginx.conf.template").read_text()
    decision = re.search(r"proxy_cache_valid 204 (\d+)s;", template)
    refusal = re.search(r"proxy_cache_valid 404 (\d+)m;", template)
    assert decision is not None
    assert refusal is not None

    assert int(decision[1]) == DECISION_LIFETIME.total_seconds(), "as media has it"
    assert int(refusal[1]) * 60 > int(decision[1])
