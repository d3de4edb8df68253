"""What other services' events do to photos."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from flask import Flask

from factories import photos
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_common.consumers import Delivery, Handler
from igloo_common.database import transaction
from igloo_common.ids import new_id
from igloo_media.consumers import (
    PostWithMedia,
    SessionRevoked,
    consumers,
    delete_posted_media,
    keep_posted_media,
    refuse_revoked_session,
)
from igloo_media.jobs.collector import remove_objects
from igloo_media.jobs.processing import PhotoLane
from igloo_media.policies.objects import rendition_key
from igloo_media.storage import Storage
from media.conftest import Person, item, run, wait_until

T = TypeVar("T")


def deliver(handler: Handler[T], data: T) -> None:
    """Hand an event over as the inbox does."""
    now = utc_now()
    delivery = Delivery(id=new_id(), type="test", key="test", sequence=1, time=now, data=data)
    with transaction() as session:
        handler(session, delivery, now)


def two_photos(person: Person, lane: PhotoLane) -> tuple[UUID, UUID]:
    first, second = person.upload(photos.jpeg(64, 48), photos.jpeg(64, 48, seed=2))
    run(lane)
    return first, second


def post_of(author_id: UUID, media_ids: Sequence[UUID], post_id: UUID | None = None) -> PostWithMedia:
    return PostWithMedia(post_id=post_id or new_id(), author_id=author_id, media_ids=tuple(media_ids))


def test_every_subscription_is_there() -> None:
    assert set(consumers.subscriptions) == {
        "auth.account.deleted.v1",
        "auth.export.requested.v1",
        "auth.session.revoked.v1",
        "social.post.deleted.v1",
        "social.post.hidden.v1",
        "social.post.published.v1",
        "social.post.restored.v1",
    }


def test_a_published_post_keeps_its_photos_and_no_others(ana: Person, lane: PhotoLane) -> None:
    posted, other = two_photos(ana, lane)
    post = post_of(ana.id, [posted])

    deliver(keep_posted_media, post)

    assert (item(posted).post_id, item(other).post_id) == (post.post_id, None)


def test_a_post_cannot_claim_photos_of_others(ana: Person, ben: Person, lane: PhotoLane) -> None:
    theirs, _ = two_photos(ana, lane)

    deliver(keep_posted_media, post_of(ben.id, [theirs]))
    deliver(delete_posted_media, post_of(ben.id, [theirs]))

    assert (item(theirs).post_id, item(theirs).state) == (None, "ready")


def test_a_deleted_post_takes_its_photos_and_their_objects_along(
    ana: Person, lane: PhotoLane, storage: Storage
) -> None:
    posted, other = two_photos(ana, lane)
    post = post_of(ana.id, [posted])
    deliver(keep_posted_media, post)

    deliver(delete_posted_media, post)
    deliver(delete_posted_media, post)
    assert storage.size_of(rendition_key(posted, "feed")), "not inside the transaction"
    remove_objects(storage)

    assert (item(posted).state, item(other).state) == ("deleted", "ready")
    assert storage.size_of(rendition_key(posted, "feed")) is None
    assert storage.size_of(rendition_key(other, "feed"))


def test_a_photo_that_another_post_shows_stays(ana: Person, lane: PhotoLane) -> None:
    posted, _ = two_photos(ana, lane)
    deliver(keep_posted_media, post_of(ana.id, [posted]))

    deliver(delete_posted_media, post_of(ana.id, [posted]))

    assert item(posted).state == "ready"


def test_a_post_without_photos_is_no_trouble(app: Flask) -> None:
    deliver(keep_posted_media, post_of(new_id(), []))
    deliver(delete_posted_media, post_of(new_id(), []))


def test_a_revoked_session_is_refused_here_too(ana: Person) -> None:
    session_id = new_id()
    until = utc_now() + timedelta(minutes=10)
    deliver(refuse_revoked_session, SessionRevoked(session_id=session_id, denied_until=until))

    def refusal() -> str | None:
        answer = ana.client.get("/v1/uploads", headers=bearer(ana.id, session_id=session_id))
        return answer.get_json()["code"] if answer.status_code == 401 else None

    assert wait_until(refusal, "the denylist is read again") == "session_revoked"
    assert ana.call("GET", "/v1/uploads").status_code == 200
