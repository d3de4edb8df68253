"""What people do while one of them leaves: done before, and then removed, or not done at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from factories.locks import wait_for_a_waiter
from factories.social_accounts import (
    Life,
    assert_nothing_is_left,
    erase_all,
    everything_else,
)
from factories.social_devices import make_token
from factories.social_events import emitted
from factories.social_people import make_person
from factories.social_posts import deliver, make_post, media_ready
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.errors import IglooError
from igloo_common.ids import new_id
from igloo_social.models.devices import DevicePlatform
from igloo_social.models.notifications import NotificationDelivery, NotificationKind
from igloo_social.models.reports import ReportReason, ReportTarget
from igloo_social.operations import erased_comments, erased_posts, erased_traces
from igloo_social.operations.account_tasks import request_erasure
from igloo_social.operations.blocks import block_account
from igloo_social.operations.bookmarks import keep_post
from igloo_social.operations.comments import add_comment
from igloo_social.operations.devices import DeviceRegistration, register_device
from igloo_social.operations.follows import follow_account, unfollow_account
from igloo_social.operations.likes import like_post
from igloo_social.operations.notification_preferences import set_preferences
from igloo_social.operations.post_edits import PostEdit, edit_post
from igloo_social.operations.posts import NewPost, create_post
from igloo_social.operations.read_markers import move_read_marker
from igloo_social.operations.reports import NewReport, report
from igloo_social.operations.suggestions import dismiss_suggestion

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from flask import Flask
    from sqlalchemy.orm import Session


def act(app: Flask, *steps: Callable[[Session], object]) -> None:
    with app.app_context():
        for step in steps:
            try:
                with transaction() as session:
                    step(session)
            except IglooError:
                continue


def test_what_others_and_they_do_meanwhile_leaves_nothing_and_counts_that_agree(
    app: Flask, session: Session
) -> None:
    life = Life(session)
    barrier = Barrier(6)
    gone, others = life.person, life.others

    def steps_of(number: int) -> list[Callable[[Session], object]]:
        other, post_id = others[number], life.posts[number % 3]
        return [
            step
            for _ in range(15)
            for step in (
                lambda s: follow_account(s, actor_id=other, followee_id=gone, now=utc_now()),
                lambda s: like_post(s, post_id=post_id, user_id=other, now=utc_now()),
                lambda s: follow_account(s, actor_id=gone, followee_id=other, now=utc_now()),
                lambda s: like_post(s, post_id=life.others_posts[0], user_id=gone, now=utc_now()),
                lambda s: create_post(s, NewPost(caption="Now"), author_id=gone, now=utc_now()),
                lambda s: add_comment(
                    s, post_id=post_id, author_id=other, text="To @snow.hare", now=utc_now()
                ),
                lambda s: add_comment(
                    s, post_id=life.others_posts[0], author_id=gone, text="Cold", now=utc_now()
                ),
                lambda s: create_post(s, NewPost(caption="To @snow.hare"), author_id=other, now=utc_now()),
                lambda s: keep_post(s, post_id=post_id, user_id=other, now=utc_now()),
                lambda s: media_ready(s, new_id(), gone),
                lambda s: deliver(
                    s, "auth.friends.found.v1", account_id=other, friend_ids=[gone], found_at=utc_now()
                ),
                lambda s: unfollow_account(s, actor_id=gone, followee_id=other, now=utc_now()),
                lambda s: (
                    block_account(s, actor_id=other, blocked_id=gone, now=utc_now()) if number == 3 else None
                ),
            )
        ]

    def work(number: int) -> None:
        steps = steps_of(number)
        barrier.wait(timeout=10)
        act(app, *steps)

    def leave() -> None:
        barrier.wait(timeout=10)
        act(app, lambda s: request_erasure(s, deletion_id=new_id(), account_id=gone, now=utc_now()))
        erase_all(app)

    with ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(leave), *(pool.submit(work, number) for number in range(5))]:
            future.result(timeout=60)
    erase_all(app)

    # Events of what was done before the end come late.
    for event in emitted(session, "social.post.published.v1"):
        deliver(session, "social.post.published.v1", post_id=event["post_id"], author_id=event["author_id"])
    session.commit()
    assert_nothing_is_left(session, gone)
    assert len(emitted(session, "social.account.erased.v1")) == 1


def like_others_post(session: Session, life: Life) -> object:
    return like_post(session, post_id=life.others_posts[0], user_id=life.person, now=utc_now())


def post_something(session: Session, life: Life) -> object:
    return create_post(
        session, NewPost(caption="Snow", media_ids=[new_id()]), author_id=life.person, now=utc_now()
    )


def follow_somebody(session: Session, life: Life) -> object:
    return follow_account(session, actor_id=life.person, followee_id=life.others[4], now=utc_now())


def read_news(session: Session, life: Life) -> None:
    move_read_marker(session, recipient_id=life.person, read_until=utc_now(), now=utc_now())


def hear_of_media(session: Session, life: Life) -> None:
    media_ready(session, new_id(), life.person)


def hear_of_friends(session: Session, life: Life) -> None:
    deliver(
        session,
        "auth.friends.found.v1",
        account_id=life.others[0],
        friend_ids=[life.person],
        found_at=utc_now(),
    )


def say_something(session: Session, life: Life) -> object:
    return add_comment(
        session, post_id=life.others_posts[0], author_id=life.person, text="Cold", now=utc_now()
    )


def keep_others_post(session: Session, life: Life) -> object:
    return keep_post(session, post_id=life.others_posts[2], user_id=life.person, now=utc_now())


def dismiss_somebody(session: Session, life: Life) -> None:
    dismiss_suggestion(session, actor_id=life.person, dismissed_id=life.others[4], now=utc_now())


def register_phone(session: Session, life: Life) -> None:
    device = DeviceRegistration(id=new_id(), platform=DevicePlatform.APNS, token=make_token())
    register_device(session, user_id=life.person, session_id=new_id(), device=device, now=utc_now())


def choose_news(session: Session, life: Life) -> None:
    accepted_off = {NotificationKind.FOLLOW_ACCEPTED: NotificationDelivery.OFF}
    set_preferences(session, user_id=life.person, deliveries=accepted_off)


def report_somebody(session: Session, life: Life) -> object:
    new = NewReport(target_kind=ReportTarget.USER, target_id=life.others[4], reason=ReportReason.SPAM)
    return report(session, new, reporter_id=life.person, now=utc_now())


def be_reported(session: Session, life: Life) -> object:
    new = NewReport(target_kind=ReportTarget.USER, target_id=life.person, reason=ReportReason.SPAM)
    return report(session, new, reporter_id=life.others[4], now=utc_now())


def be_named_in_a_comment(session: Session, life: Life) -> object:
    return add_comment(
        session, post_id=life.others_posts[2], author_id=life.others[1], text=_NAMING, now=utc_now()
    )


def be_named_in_a_post(session: Session, life: Life) -> object:
    return create_post(session, NewPost(caption=_NAMING), author_id=life.others[1], now=utc_now())


def be_named_in_an_edit(session: Session, life: Life) -> None:
    edit_post(
        session,
        PostEdit(caption=_NAMING),
        post_id=life.others_posts[1],
        author_id=life.others[1],
        now=utc_now(),
    )


def be_commented_on(session: Session, life: Life) -> object:
    return add_comment(session, post_id=life.posts[1], author_id=life.others[1], text="Cold", now=utc_now())


def be_kept(session: Session, life: Life) -> object:
    return keep_post(session, post_id=life.posts[1], user_id=life.others[1], now=utc_now())


_NAMING = "Look, @snow.hare"
_DEEDS = [
    like_others_post,
    post_something,
    follow_somebody,
    read_news,
    hear_of_media,
    hear_of_friends,
    say_something,
    keep_others_post,
    dismiss_somebody,
    register_phone,
    choose_news,
    report_somebody,
    be_reported,
]
_NAMINGS = [be_named_in_a_comment, be_named_in_a_post, be_named_in_an_edit]


@pytest.mark.parametrize("deed", [*_DEEDS, *_NAMINGS])
def test_what_is_under_way_when_they_leave_is_waited_for_and_goes_too(
    app: Flask, session: Session, deed: Callable[[Session, Life], object]
) -> None:
    life = Life(session)
    deed(session, life)

    with ThreadPoolExecutor(1) as pool:
        leaving = pool.submit(leave, app, life.person)
        wait_for_a_waiter(session, leaving)
        assert not leaving.done()
        session.commit()
        leaving.result(timeout=30)

    erase_all(app)
    assert_nothing_is_left(session, life.person)


@pytest.mark.parametrize("deed", _DEEDS)
def test_what_begins_while_they_leave_comes_to_nothing(
    app: Flask, session: Session, deed: Callable[[Session, Life], object]
) -> None:
    life = Life(session)
    before = everything_else(session, new_id())
    request_erasure(session, deletion_id=new_id(), account_id=life.person, now=utc_now())

    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(act, app, lambda s: deed(s, life))
        wait_for_a_waiter(session, doing)
        assert not doing.done()
        session.commit()
        doing.result(timeout=30)

    assert everything_else(session, new_id()) == before


def leave(app: Flask, person: UUID) -> None:
    act(app, lambda s: request_erasure(s, deletion_id=new_id(), account_id=person, now=utc_now()))


def leave_wholly(app: Flask, person: UUID) -> None:
    leave(app, person)
    erase_all(app)


@pytest.mark.parametrize("deed", _NAMINGS)
def test_who_is_named_while_they_leave_is_named_in_plain_text(
    app: Flask, session: Session, deed: Callable[[Session, Life], object]
) -> None:
    life = Life(session)
    request_erasure(session, deletion_id=new_id(), account_id=life.person, now=utc_now())

    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(act, app, lambda s: deed(s, life))
        wait_for_a_waiter(session, doing)
        assert not doing.done()
        session.commit()
        doing.result(timeout=30)

    written = "SELECT mention_count FROM {} WHERE {} = :words"
    found = [
        count
        for table, column in (("posts", "caption"), ("comments", "text"))
        for count in session.scalars(text(written.format(table, column)), {"words": _NAMING})
    ]
    assert found == [0]


@pytest.mark.parametrize("deed", [be_commented_on, be_kept])
def test_what_others_do_under_their_posts_meanwhile_goes_with_the_posts(
    app: Flask, session: Session, deed: Callable[[Session, Life], object]
) -> None:
    life = Life(session)
    deed(session, life)

    with ThreadPoolExecutor(1) as pool:
        erasing = pool.submit(leave_wholly, app, life.person)
        wait_for_a_waiter(session, erasing)
        assert not erasing.done()
        session.commit()
        erasing.result(timeout=30)

    assert_nothing_is_left(session, life.person)


def test_friends_who_leave_at_once_leave_nothing_and_are_in_nobodys_way(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for module in (erased_comments, erased_posts, erased_traces):
        for name in ("COMMENTS_AT_ONCE", "POSTS_AT_ONCE", "LIKES_AT_ONCE", "ROWS_AT_ONCE"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, 2)
    life = Life(session)
    leaving = (life.person, *life.others[:3])
    barrier = Barrier(len(leaving))

    def go(person: UUID) -> None:
        leave(app, person)
        barrier.wait(timeout=10)
        erase_all(app)

    with ThreadPoolExecutor(len(leaving)) as pool:
        for future in [pool.submit(go, person) for person in leaving]:
            future.result(timeout=30)

    assert caplog.messages == []
    for person in leaving:
        assert_nothing_is_left(session, person)


def test_people_who_name_each_other_at_once_do_not_deadlock(app: Flask, session: Session) -> None:
    names = ("arctic.fox", "puffin", "snow.hare")
    people = [make_person(session, username=name) for name in names]
    posts = [make_post(session, person) for person in people]
    session.commit()
    everybody = " ".join(f"@{name}" for name in names)
    barrier = Barrier(len(people))

    def write(number: int) -> None:
        barrier.wait(timeout=10)
        author, post_id = people[number], posts[number - 1]
        with app.app_context():
            for round_ in range(15):
                now, words = utc_now(), f"{round_} {everybody}"
                with transaction() as s:
                    create_post(s, NewPost(caption=words), author_id=author, now=now)
                with transaction() as s:
                    add_comment(s, post_id=post_id, author_id=author, text=words, now=now)
                with transaction() as s:
                    edit_post(s, PostEdit(caption=words), post_id=posts[number], author_id=author, now=now)

    with ThreadPoolExecutor(len(people)) as pool:
        for future in [pool.submit(write, number) for number in range(len(people))]:
            future.result(timeout=30)

    assert set(session.scalars(text("SELECT mention_count FROM comments"))) == {3}
