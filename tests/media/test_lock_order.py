"""Several photos changed at once: by two at a time, who wait for one another and never in a circle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from factories.locks import wait_for_a_waiter
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.ids import new_id
from igloo_media.models import MediaItem
from igloo_media.operations.collection import forget_closed
from igloo_media.operations.erasures import drop_items
from igloo_media.operations.items import attach_items, delete_items_of_post
from igloo_media.operations.takedowns import take_back, take_down
from media.conftest import Person, change

Change = Callable[[Session, UUID, Sequence[UUID]], object]
POST = new_id()
CHANGES: dict[str, Change] = {
    "a post that shows them": lambda session, owner, ids: attach_items(
        session, owner_id=owner, media_ids=ids, post_id=POST
    ),
    "a post that is deleted": lambda session, owner, ids: delete_items_of_post(
        session, owner_id=owner, media_ids=ids, post_id=POST, now=utc_now()
    ),
    "a post that is hidden": lambda session, owner, ids: take_down(
        session, post_id=POST, author_id=owner, media_ids=ids, now=utc_now()
    ),
    "a post that is shown again": lambda session, owner, ids: take_back(
        session, post_id=POST, author_id=owner, media_ids=ids
    ),
    "a person who has left": lambda session, _, ids: drop_items(session, ids),
}


def two_photos(person: Person, **values: object) -> list[UUID]:
    """Ask for two uploads, whose rows lie in the table the other way round than their ids go."""
    first, second = sorted(UUID(upload["id"]) for upload in person.ask(b"hare", b"fox"))
    change(second, **values)
    change(first, alt_text="written anew, and therefore behind the other", **values)
    return [first, second]


def come_upon_rows_as_they_lie(session: Session) -> None:
    """Have no index used, which has an order of its own that no statement can count on."""
    for way in ("indexscan", "indexonlyscan", "bitmapscan"):
        session.execute(text(f"SET LOCAL enable_{way} = off"))


def lock(session: Session, media_id: UUID) -> None:
    """Lock a photo's row; fail when somebody else holds it."""
    session.execute(select(MediaItem.id).where(MediaItem.id == media_id).with_for_update(nowait=True))


@pytest.mark.parametrize("occasion", CHANGES)
def test_who_waits_for_a_photo_holds_none_that_comes_after_it(app: Flask, ana: Person, occasion: str) -> None:
    first, second = two_photos(ana, size_bytes=0)

    def change_both() -> None:
        with app.app_context(), transaction() as session:
            come_upon_rows_as_they_lie(session)
            CHANGES[occasion](session, ana.id, [second, first])

    with ThreadPoolExecutor() as threads, transaction() as session:
        lock(session, first)
        effort = threads.submit(change_both)
        wait_for_a_waiter(session, effort)
        assert not effort.done(), "it waits for the first"
        lock(session, second)
    effort.result(timeout=10)


def test_who_drops_old_rows_waits_for_nobody(app: Flask, ana: Person) -> None:
    long_ago = utc_now() - timedelta(days=365)
    first, _ = two_photos(ana, state="deleted", closed_at=long_ago)

    def drop() -> int:
        with app.app_context(), transaction() as session:
            come_upon_rows_as_they_lie(session)
            return forget_closed(session, now=utc_now())

    with ThreadPoolExecutor() as threads, transaction() as session:
        lock(session, first)
        effort = threads.submit(drop)
        wait_for_a_waiter(session, effort)
        assert effort.done(), "it passes over what somebody holds"
    assert effort.result(timeout=10) == 1
    assert drop() == 1
