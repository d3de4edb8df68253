"""Phones that keep a feed end with what the feed holds, whatever happened and however late they heard."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from factories.feed_phones import Phone, whole_feed
from factories.social_people import make_people
from factories.social_posts import deliver
from igloo_common.clock import utc_now
from igloo_common.errors import IglooError
from igloo_common.ids import new_id
from igloo_social.consumers import consumers
from igloo_social.models.posts import POSTS, Visibility
from igloo_social.models.profiles import PROFILES
from igloo_social.models.relations import RELATIONS
from igloo_social.operations import feed_changes, merging, timeline
from igloo_social.operations.account_tasks import finish_suspension, lock_due_suspension, request_erasure
from igloo_social.operations.blocks import block_account, unblock_account
from igloo_social.operations.erasure import erase_batch
from igloo_social.operations.follow_requests import accept_request
from igloo_social.operations.follows import follow_account, unfollow_account
from igloo_social.operations.mutes import end_expired_mutes, mute_account, unmute_account
from igloo_social.operations.post_edits import PostEdit, edit_post
from igloo_social.operations.posts import NewPost, create_post, delete_post
from igloo_social.operations.suspensions import move_batch, reinstate_person, suspend_person

ROUNDS, STEPS = 5, 100
LONGEST_TRANSACTION = timedelta(seconds=50)
FEED_EVENTS = {
    "social.post.published.v1",
    "social.post.changed.v1",
    "social.post.deleted.v1",
    "social.relation.changed.v1",
}


@dataclass
class Town:
    """A few people, most of whom have a phone, and the events that have not come yet."""

    session: Session
    random: Random
    people: list[UUID]
    phones: list[Phone]
    clock: datetime
    on_the_way: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    heard: int = 0
    being_erased: list[UUID] = field(default_factory=list)

    def commit_time(self) -> datetime:
        """Begin a transaction: what it writes may be as old as a transaction can get before it commits."""
        self.clock += timedelta(seconds=self.random.choice((0.01, 1, 20, 90)))
        return self.clock - self.random.random() * LONGEST_TRANSACTION

    def pair(self) -> tuple[UUID, UUID]:
        """Choose two people."""
        first, second = self.random.sample(self.people, 2)
        return first, second

    def a_follow(self) -> tuple[UUID, UUID]:
        """Choose a follow by somebody who keeps a feed, or two people if there is none."""
        owners = [phone.owner for phone in self.phones]
        follows = select(RELATIONS.c.from_user, RELATIONS.c.to_user).where(
            RELATIONS.c.relation_type == "f", RELATIONS.c.from_user.in_(owners)
        )
        edges = sorted((row[0], row[1]) for row in self.session.execute(follows))
        return self.random.choice(edges) if edges else self.pair()

    def without_phone(self) -> list[UUID]:
        """List the people who keep no feed: a suspended or deleted person reads none."""
        return [person for person in self.people if person not in {phone.owner for phone in self.phones}]

    def a_post(self) -> tuple[UUID, UUID] | None:
        """Choose a post, with its author."""
        posts = self.session.execute(
            select(POSTS.c.id, POSTS.c.author_id).where(POSTS.c.deleted_at.is_(None))
        ).all()
        return tuple(self.random.choice(sorted(posts))) if posts else None

    def collect(self) -> None:
        """Take the events that have been told since, none of which has been heard."""
        rows = self.session.execute(
            text("SELECT id, type, payload FROM outbox WHERE id > :id ORDER BY id"), {"id": self.heard}
        ).all()
        for row in rows:
            self.heard = row.id
            if row.type in FEED_EVENTS:
                self.on_the_way.append((row.type, orjson.loads(row.payload)))


def post(town: Town, now: datetime) -> None:
    visibility = town.random.choice(list(Visibility))
    new = NewPost(caption=f"Snow {town.random.random()}", visibility=visibility)
    create_post(town.session, new, author_id=town.random.choice(town.people), now=now)


def edit(town: Town, now: datetime) -> None:
    if found := town.a_post():
        change = (
            PostEdit(caption=f"Ice {town.random.random()}")
            if town.random.random() < 0.5
            else PostEdit(visibility=town.random.choice(list(Visibility)))
        )
        edit_post(town.session, change, post_id=found[0], author_id=found[1], now=now)


def delete(town: Town, now: datetime) -> None:
    if found := town.a_post():
        delete_post(town.session, post_id=found[0], author_id=found[1], now=now)


def follow(town: Town, now: datetime) -> None:
    actor, other = town.random.choice(town.phones).owner, town.random.choice(town.people)
    if follow_account(town.session, actor_id=actor, followee_id=other, now=now).requested:
        accept_request(town.session, actor_id=other, requester_id=actor, now=now)


def unfollow(town: Town, now: datetime) -> None:
    actor, other = town.a_follow()
    unfollow_account(town.session, actor_id=actor, followee_id=other, now=now)


def block(town: Town, now: datetime) -> None:
    actor, other = town.pair()
    block_account(town.session, actor_id=actor, blocked_id=other, now=now)


def unblock(town: Town, now: datetime) -> None:
    actor, other = town.pair()
    unblock_account(town.session, actor_id=actor, blocked_id=other, now=now)


def mute(town: Town, now: datetime) -> None:
    actor, other = town.a_follow()
    mute_account(town.session, actor_id=actor, muted_id=other, duration=None, now=now)


def unmute(town: Town, now: datetime) -> None:
    actor, other = town.pair()
    unmute_account(town.session, actor_id=actor, muted_id=other, now=now)


def let_mutes_expire(town: Town, now: datetime) -> None:
    at = {"at": utc_now() - timedelta(seconds=1)}
    town.session.execute(text("UPDATE relations SET expires_at = :at WHERE relation_type = 'm'"), at)


def sweep_mutes(town: Town, now: datetime) -> None:
    # Told with the town's time, and found with the true one, by which they expire.
    town.session.execute(text("UPDATE relations SET expires_at = created_at WHERE expires_at IS NOT NULL"))
    end_expired_mutes(town.session, now=now + LONGEST_TRANSACTION, limit=10)


def change_privacy(town: Town, now: datetime) -> None:
    person = PROFILES.c.user_id == town.random.choice(town.people)
    town.session.execute(update(PROFILES).where(person).values(is_private=~PROFILES.c.is_private))


def make_popular(town: Town, now: datetime) -> None:
    person = PROFILES.c.user_id == town.random.choice(town.without_phone()[:4])
    town.session.execute(update(PROFILES).where(person).values(merged_at_read=True))


def flag(town: Town, now: datetime) -> None:
    merging.flag_follows(town.session, now=now)


def leave(town: Town, now: datetime) -> None:
    strangers = town.without_phone()
    if len(strangers) > 2 and town.random.random() < 0.1:
        request_erasure(town.session, deletion_id=new_id(), account_id=strangers[0], now=now)
        town.people.remove(strangers[0])
        town.being_erased.append(strangers[0])


def erase(town: Town, now: datetime) -> bool:
    for person in town.being_erased:
        if erase_batch(town.session, account_id=person):
            # An erasure tells by the true time, which in this town has not come yet.
            later = {"now": now, "later": town.clock + timedelta(minutes=5)}
            told = "UPDATE feed_changes SET changed_at = :now WHERE changed_at > :later"
            town.session.execute(text(told), later)
            return True
    return False


def suspend(town: Town, now: datetime) -> None:
    suspend_person(town.session, user_id=town.random.choice(town.without_phone()), now=now)


def reinstate(town: Town, now: datetime) -> None:
    suspended = select(PROFILES.c.user_id).where(PROFILES.c.suspended_at.is_not(None))
    for person in town.session.scalars(suspended).all():
        reinstate_person(town.session, user_id=person, now=now)


def move(town: Town, now: datetime) -> bool:
    task = lock_due_suspension(town.session, now=utc_now())
    if task is not None and not move_batch(town.session, task, now=now):
        finish_suspension(town.session, task, now=now)
    return task is not None


def hear(town: Town, now: datetime) -> None:
    """Deliver some event, out of order, and keep it for another time, perhaps."""
    if town.on_the_way:
        place = town.random.randrange(len(town.on_the_way))
        event_type, said = town.on_the_way[place]
        deliver(town.session, event_type, now=now, **said)
        if town.random.random() < 0.8:
            del town.on_the_way[place]


OPERATIONS: dict[Callable[[Town, datetime], object], int] = {
    post: 18,
    edit: 8,
    delete: 3,
    follow: 16,
    unfollow: 3,
    block: 1,
    unblock: 2,
    mute: 3,
    unmute: 1,
    let_mutes_expire: 1,
    sweep_mutes: 1,
    change_privacy: 1,
    make_popular: 1,
    flag: 3,
    leave: 1,
    erase: 2,
    suspend: 1,
    move: 3,
    reinstate: 3,
    hear: 44,
}


def live(town: Town) -> None:
    """Let something happen, and phones look at it."""
    (operation,) = town.random.choices(list(OPERATIONS), list(OPERATIONS.values()))
    with suppress(IglooError), town.session.begin_nested():
        operation(town, town.commit_time())
    town.session.commit()
    town.collect()
    for phone in town.phones:
        if town.random.random() < 0.15:
            phone.poll(town.session, town.clock)
        if town.random.random() < 0.1:
            phone.scroll(town.session)
        if town.random.random() < 0.02:
            phone.start(town.session, town.clock)


def settle(town: Town) -> None:
    """Let everything come to its end."""
    while move(town, town.commit_time()):
        pass
    town.collect()
    while erase(town, town.commit_time()):
        pass
    sweep_mutes(town, town.commit_time())
    town.collect()
    while town.on_the_way:
        hear(town, town.commit_time())
    town.session.commit()


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "BATCH_SIZE", 2)
    monkeypatch.setattr(timeline, "BACKFILL_SIZE", 4)
    monkeypatch.setattr(feed_changes, "BROUGHT_BACK", 4)
    monkeypatch.setattr(merging, "FOLLOWS_AT_ONCE", 2)


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("seed", range(4))
def test_a_kept_feed_agrees_in_the_end_with_the_feed(session: Session, seed: int) -> None:
    assert consumers.subscriptions.keys() >= FEED_EVENTS
    random = Random(seed)  # noqa: S311 - a test's dice
    people = make_people(session, 10)
    clock = utc_now() - timedelta(days=5)
    phones = [Phone(person, random) for person in people[:3]]
    town = Town(session, random, people, phones, clock)
    for phone in phones:
        phone.start(session, clock)

    for _ in range(ROUNDS):
        for _ in range(STEPS):
            live(town)
        settle(town)
        for phone in phones:
            phone.poll(session, town.clock)
            feed = whole_feed(session, phone.owner)
            assert phone.posts == {
                post_id: post
                for post_id, post in feed.items()
                if phone.reach is None or post.place >= phone.reach
            }
            while phone.reach is not None:
                phone.scroll(session)
            assert phone.posts == feed
