"""A photo post travels through all of igloo: through nginx, on real parts, over either broker."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from e2e.conftest import Town
from factories.photos import BROKEN_JPEG, jpeg
from igloo_local.phone import Phone, Refused, wait_until

pytestmark = pytest.mark.e2e

EVERY_RENDITION = {"thumb", "feed", "full"}


def feed_with(phone: Phone, post_id: str) -> list[dict[str, Any]]:
    """Read the feed until the post is in it."""
    return wait_until(
        phone.feed,
        lambda posts: post_id in {post["id"] for post in posts},
        what=f"post {post_id} in the feed",
    )


def settled(phone: Phone, post_id: str) -> dict[str, Any]:
    """Read a post of one's own until it is published or has failed."""
    return wait_until(
        lambda: phone.call("GET", f"/v1/posts/{post_id}"),
        lambda post: post["state"] != "processing",
        what=f"post {post_id} published or failed",
    )


def test_three_photos_travel_from_one_phone_to_another_and_vanish_with_a_block(town: Town) -> None:
    a, b = town.person("Auk"), town.person("Beluga")
    assert b.relate("PUT", a.user_id, "follow")["following"] is True

    media_ids = a.upload([jpeg(1600, 1200, seed=1), jpeg(900, 1200, seed=2), jpeg(640, 640, seed=3)])
    made = a.post("Three from the ice", media_ids)
    feed = feed_with(b, made["id"])

    post = feed[0]
    assert post["caption"] == "Three from the ice"
    assert post["author"]["id"] == str(a.user_id)
    assert [image["media_id"] for image in post["images"]] == media_ids
    assert [(image["width"], image["height"]) for image in post["images"]] == [
        (1600, 1200),
        (900, 1200),
        (640, 640),
    ]
    for image in post["images"]:
        assert len(image["blurhash"]) > 6
        assert set(image["renditions"]) == EVERY_RENDITION
        for rendition in image["renditions"].values():
            fetched = requests.get(rendition["url"], timeout=10)
            assert fetched.status_code == 200
            assert fetched.headers["Content-Type"] == rendition["content_type"] == "image/webp"
            assert fetched.content[8:12] == b"WEBP"

    liked = b.call("PUT", f"/v1/posts/{made['id']}/like")
    assert (liked["liked"], liked["like_count"]) == (True, 1)
    told = [
        (row["kind"], row["actor"]["id"], row["post_id"])
        for row in a.call("GET", "/v1/notifications")["data"]
    ]
    assert told == [("like", str(b.user_id), made["id"]), ("follow", str(b.user_id), None)]

    a.relate("PUT", b.user_id, "block")
    assert b.feed() == []
    for path in (f"/v1/posts/{made['id']}", f"/v1/users/{a.user_id}", f"/v1/users/{a.user_id}/posts"):
        with pytest.raises(Refused) as hidden:
            b.call("GET", path)
        assert hidden.value.status == 404
    assert a.call("GET", "/v1/notifications")["data"] == []
    assert a.call("GET", f"/v1/posts/{made['id']}")["like_count"] == 0
    assert a.call("GET", f"/v1/users/{a.user_id}")["follower_count"] == 0


def test_the_author_sees_a_new_post_at_once_and_followers_see_posts_in_order(town: Town) -> None:
    author, reader = town.person("Cod"), town.person("Dunlin")
    reader.relate("PUT", author.user_id, "follow")

    posts = [author.post(f"number {n}")["id"] for n in range(5)]

    assert [post["id"] for post in author.feed()] == posts[::-1]
    assert [post["id"] for post in feed_with(reader, posts[-1])] == posts[::-1]


def test_a_follow_brings_what_was_posted_before_and_an_unfollow_takes_it_away(town: Town) -> None:
    author, reader = town.person("Eider"), town.person("Fulmar")
    post_id = author.post("before you came")["id"]

    reader.relate("PUT", author.user_id, "follow")
    feed_with(reader, post_id)
    reader.relate("DELETE", author.user_id, "follow")

    assert wait_until(reader.feed, lambda posts: not posts, what="an empty feed") == []


def test_an_unreadable_photo_fails_its_post_where_the_author_sees_it(town: Town) -> None:
    author, reader = town.person("Gannet"), town.person("Hare")
    reader.relate("PUT", author.user_id, "follow")

    good, broken = author.upload([jpeg(), BROKEN_JPEG])
    post = settled(author, author.post("one of these is broken", [good, broken])["id"])

    assert (post["state"], post["failure"]["code"]) == ("failed", "media_failed")
    failure = author.call("GET", f"/v1/media/{broken}")
    assert (failure["state"], failure["failure"]["code"]) == ("failed", "unreadable_image")
    assert author.call("GET", "/v1/notifications")["data"][0]["kind"] == "post_failed"
    assert post["id"] not in {seen["id"] for seen in reader.feed()}


def test_s3_refuses_a_photo_larger_than_it_was_said_to_be(town: Town) -> None:
    person = town.person("Ibis")
    photo = jpeg(1600, 1200)
    body = {"files": [{"content_type": "image/jpeg", "size_bytes": len(photo) - 1}]}
    upload = person.call("POST", "/v1/uploads", json=body)["data"][0]

    with pytest.raises(Refused) as refused:
        person.send_to_s3(upload["target"], photo)

    assert refused.value.status in (400, 403)
    with pytest.raises(Refused) as missing:
        person.call("POST", f"/v1/uploads/{upload['id']}/complete")
    assert (missing.value.status, missing.value.code) == (409, "upload_missing")


@pytest.mark.parametrize(
    ("path", "token"),
    [("/v1/feed", "not-a-token"), ("/v1/uploads", "a.b.c"), ("/v1/account", "eyJhbGciOiJub25lIn0.e30.")],
)
def test_an_unknown_bearer_token_is_a_problem_of_status_401(town: Town, path: str, token: str) -> None:
    answer = requests.get(town.gateway + path, headers={"Authorization": f"Bearer {token}"}, timeout=10)

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "invalid_token"
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


def test_malformed_json_is_a_problem_of_status_400_and_changes_nothing(town: Town) -> None:
    person = town.person("Jaeger")
    headers = {"Authorization": f"Bearer {person.access_token}", "Content-Type": "application/json"}

    answer = requests.post(f"{town.gateway}/v1/posts", data=b'{"caption": ', headers=headers, timeout=10)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")
    assert person.feed() == []


def test_a_post_sent_twice_under_one_key_is_one_post(town: Town) -> None:
    person = town.person("Kittiwake")
    headers = {"Idempotency-Key": "one-and-the-same"}

    first = person.call("POST", "/v1/posts", json={"caption": "once"}, headers=headers)
    again = person.call("POST", "/v1/posts", json={"caption": "once"}, headers=headers)

    assert again == first
    assert [post["id"] for post in person.feed()] == [first["id"]]
    with pytest.raises(Refused) as reused:
        person.call("POST", "/v1/posts", json={"caption": "other words"}, headers=headers)
    assert (reused.value.status, reused.value.code) == (422, "idempotency_key_reused")


def test_a_rotated_refresh_token_goes_on_and_a_revoked_session_ends_everywhere(town: Town) -> None:
    person = town.person("Lumpsucker")
    person.refresh()
    assert person.feed() == []

    person.call("POST", "/v1/auth/revoke", json={"token": person.refresh_token})

    def codes() -> set[str | None]:
        return {refusal_code(person, path) for path in ("/v1/account", "/v1/feed", "/v1/uploads")}

    assert wait_until(
        codes, lambda seen: seen == {"session_revoked"}, what="the session ended in all services"
    )


def refusal_code(phone: Phone, path: str) -> str | None:
    """Return the problem's code, None when the request is answered."""
    try:
        phone.call("GET", path)
    except Refused as refusal:
        return refusal.code
    return None


def test_what_is_internal_is_not_reachable_through_the_gateway(town: Town) -> None:
    for path in ("/internal/renditions/authorize", "/readyz", "/metrics", "//internal/x", "/v1/..%2fmetrics"):
        answer = requests.get(town.gateway + path, timeout=10)
        assert answer.status_code in (400, 404), path
        assert answer.headers["Content-Type"] == "application/problem+json", path
