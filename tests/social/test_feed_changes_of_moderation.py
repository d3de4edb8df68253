"""Kept feeds where moderation meets them: hidden posts that change, and suspensions that end early."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import text

from factories.feed_phones import Phone, whole_feed
from factories.social_events import relation_changes
from factories.social_moderation import move_all, reinstate, suspend
from factories.social_people import make_people
from factories.social_posts import deliver, media_ready
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_social.jobs.suspensions import move_next
from igloo_social.operations import suspended_feeds, suspended_relations
from igloo_social.operations.follows import follow_account
from igloo_social.operations.moderated_content import hide_post
from igloo_social.operations.post_edits import PostEdit, edit_post
from igloo_social.operations.posts import NewPost, create_post
from igloo_social.operations.timeline import converge, fan_out

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.orm import Session


def phone_of(session: Session, owner: UUID) -> Phone:
    phone = Phone(owner, Random(1))  # noqa: S311 - a test's dice
    phone.start(session, utc_now())
    return phone


def post(session: Session, author: UUID, *, followers: tuple[UUID, ...] = ()) -> UUID:
    now = utc_now() - timedelta(hours=1)
    for follower in followers:
        follow_account(session, actor_id=follower, followee_id=author, now=now)
    post_id = create_post(session, NewPost(caption="Snow"), author_id=author, now=now).id
    fan_out(session, post_id=post_id, author_id=author, now=now)
    session.commit()
    return post_id


def test_an_author_who_edits_a_hidden_post_sees_it_on_all_their_phones(session: Session) -> None:
    (author,) = make_people(session, 1)
    post_id = post(session, author)
    hide_post(session, post_id=post_id, author_id=author, now=utc_now() - timedelta(minutes=30))
    session.commit()
    phone = phone_of(session, author)

    edit_post(session, PostEdit(caption="Ice"), post_id=post_id, author_id=author, now=utc_now())
    session.commit()
    phone.poll(session, utc_now())

    assert phone.posts == whole_feed(session, author)


def test_a_hidden_post_that_loses_its_only_photo_leaves_its_author_s_phones(session: Session) -> None:
    (author,), media_id, now = make_people(session, 1), new_id(), utc_now() - timedelta(hours=1)
    media_ready(session, media_id, author)
    photo = NewPost(caption="", media_ids=(media_id,))
    post_id = create_post(session, photo, author_id=author, now=now).id
    hide_post(session, post_id=post_id, author_id=author, now=now)
    session.commit()
    phone = phone_of(session, author)
    assert phone.posts

    deliver(
        session,
        "media.item.failed.v1",
        now=utc_now(),
        media_id=media_id,
        owner_id=author,
        code="media_deleted",
        detail="The photo was deleted before it was posted.",
    )
    session.commit()
    phone.poll(session, utc_now())

    assert phone.posts == whole_feed(session, author) == {}


@pytest.mark.parametrize("is_merged", [False, True])
@pytest.mark.parametrize("steps", range(5))
def test_a_suspension_that_ends_before_its_lane_does_brings_the_posts_back(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, is_merged: bool, steps: int
) -> None:
    monkeypatch.setattr(suspended_relations, "PEOPLE_AT_ONCE", 2)
    monkeypatch.setattr(suspended_feeds, "FOLLOWERS_AT_ONCE", 2)
    author, *followers = make_people(session, 6)
    if is_merged:
        merge = text("UPDATE profiles SET merged_at_read = true WHERE user_id = :id")
        session.execute(merge, {"id": author})
    for _ in range(3):
        post(session, author, followers=tuple(followers))
    phones = [phone_of(session, follower) for follower in followers]
    kept = [dict(phone.posts) for phone in phones]

    suspend(session, author)
    with app.app_context():
        for _ in range(steps):
            move_next()
    for phone in phones:
        phone.start(session, utc_now())
        assert not phone.posts
    reinstate(session, author)
    for follower in stayed(session, author):
        assert whole_feed(session, follower), "they are back at once"
    move_all(app)
    for change in relation_changes(session):
        converge(session, follower_id=UUID(change[0]), author_id=UUID(change[2]), now=utc_now())
    session.commit()

    for phone, before in zip(phones, kept, strict=True):
        phone.poll(session, utc_now())
        while phone.reach is not None:
            phone.scroll(session)
        assert phone.posts == before


def test_a_whole_suspension_leaves_no_gap(app: Flask, session: Session) -> None:
    author, *followers = make_people(session, 4)
    post(session, author, followers=tuple(followers))
    suspend(session, author)
    move_all(app)

    reinstate(session, author)
    move_all(app)

    gaps = text("SELECT count(*) FROM feed_changes WHERE published_before IS NOT NULL")
    assert session.scalar(gaps) == 0


def test_a_suspension_that_waits_to_be_tried_again_hides_nobody_who_is_back(session: Session) -> None:
    author, follower = make_people(session, 2)
    post(session, author, followers=(follower,))
    suspend(session, author)
    put_off = "UPDATE account_tasks SET due_at = now() + interval '5 minutes', attempts = 9"
    session.execute(text(put_off))
    session.commit()

    reinstate(session, author)

    assert whole_feed(session, follower)


def stayed(session: Session, author: UUID) -> list[UUID]:
    follows = "SELECT from_user FROM relations WHERE to_user = :id AND relation_type = 'f'"
    return list(session.scalars(text(follows), {"id": author}))
