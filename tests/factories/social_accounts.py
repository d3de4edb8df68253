"""Accounts that are deleted, and what is left of them in the social service's database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from factories.social_devices import make_device
from factories.social_people import LONG_AGO, make_people, make_person, relate
from factories.social_posts import deliver, like, make_post, media_ready, put_in_feed
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_social.jobs.erasures import erase_next
from igloo_social.models.notifications import NotificationDelivery, NotificationKind
from igloo_social.operations.notification_preferences import set_preferences
from igloo_social.operations.notifications import notify
from igloo_social.operations.read_markers import move_read_marker

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask
    from sqlalchemy.orm import Session

# What may still name a deleted person, and why is said in docs: the tombstone, the task, numbers of events.
# Changes of feeds name the id alone, for a week: the followers' phones are told to drop the person's posts.
MAY_NAME_THEM = frozenset({"profiles", "account_tasks", "outbox", "event_sequences", "inbox", "feed_changes"})
_KEEP_REPLY = text(
    "INSERT INTO idempotency_keys VALUES (:id, 'POST /v1/posts', 'key', '', 201, '[]', '{}', now())"
)
MISCOUNTED = text("""
SELECT user_id::text FROM profiles p WHERE
    (deleted_at IS NULL AND (
        follower_count <> (SELECT count(*) FROM relations WHERE to_user = p.user_id AND relation_type = 'f')
        OR following_count <>
            (SELECT count(*) FROM relations WHERE from_user = p.user_id AND relation_type = 'f')
    ))
    OR (deleted_at IS NOT NULL AND follower_count + following_count + post_count <> 0)
UNION ALL
SELECT posts.id::text FROM posts JOIN profiles author ON author.user_id = author_id
WHERE author.deleted_at IS NULL AND like_count <> (SELECT count(*) FROM likes WHERE post_id = posts.id)
""")
_TABLES = text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename")


def delete_account(session: Session, account_id: UUID, *, deletion_id: UUID | None = None) -> UUID:
    """Deliver `auth.account.deleted.v1`, commit, and return the deletion's id."""
    deletion_id = deletion_id or new_id()
    deliver(session, "auth.account.deleted.v1", now=utc_now(), account_id=account_id, deletion_id=deletion_id)
    session.commit()
    return deletion_id


def erase_all(app: Flask, *, at_most: int = 5_000) -> int:
    """Run the lane until it has nothing to do, and return how many steps that took."""
    with app.app_context():
        for step in range(at_most):
            if not erase_next():
                return step
    raise AssertionError(f"the lane still had work after {at_most} steps")


def rows_naming(session: Session, user_id: UUID) -> dict[str, list[str]]:
    """Find all rows of all tables in which an id stands anywhere, by table."""
    session.rollback()
    found = {
        table: list(
            session.scalars(
                text(f"SELECT t::text FROM {table} t WHERE strpos(t::text, :id) > 0"),  # noqa: S608 - our tables
                {"id": str(user_id)},
            )
        )
        for table in session.scalars(_TABLES)
    }
    return {table: rows for table, rows in found.items() if rows}


def everything_else(session: Session, user_id: UUID) -> dict[str, list[str]]:
    """Read what others have: the rows that do not name a person, without the counts that may change."""
    session.rollback()
    dumps = {
        "posts": "SELECT id, author_id, caption, state, deleted_at FROM posts",
        "likes": "SELECT l.*, p.author_id FROM likes l JOIN posts p ON p.id = l.post_id",
        "relations": "SELECT * FROM relations",
        "timeline": "SELECT * FROM timeline",
        "notifications": "SELECT * FROM notifications",
        "media_items": "SELECT * FROM media_items",
        "post_images": "SELECT i.*, p.author_id FROM post_images i JOIN posts p ON p.id = i.post_id",
        "facebook_friends": "SELECT * FROM facebook_friends",
        "devices": "SELECT * FROM devices",
        "pushes": "SELECT * FROM pushes",
        "read_markers": "SELECT * FROM notification_read_markers",
        "notification_preferences": "SELECT * FROM notification_preferences",
        "idempotency_keys": "SELECT subject, route, key FROM idempotency_keys",
    }
    return {
        table: sorted(
            session.scalars(
                text(f"SELECT t::text FROM ({dump}) t WHERE strpos(t::text, :id) = 0"),  # noqa: S608 - as above
                {"id": str(user_id)},
            )
        )
        for table, dump in dumps.items()
    }


class Life:
    """A person with something of every kind, among others who have the same with each other."""

    def __init__(self, session: Session, *, others: int = 6) -> None:
        self.person = make_person(
            session, username="snow.hare", display_name="Snow Hare", bio="White in winter"
        )
        self.others = make_people(session, others)
        self.posts = [self._post(session, self.person, caption=f"Snow {n}") for n in range(3)]
        self.others_posts = [self._post(session, other) for other in self.others[:3]]
        self.devices = [make_device(session, someone) for someone in (self.person, self.others[0])]
        self._edges(session)
        self._likes_and_news(session)
        self._traces(session)
        session.commit()

    def _post(self, session: Session, author_id: UUID, **columns: Any) -> UUID:  # noqa: ANN401 - any columns
        media_id = new_id()
        media_ready(session, media_id, author_id, alt_text="A white hare")
        post_id = make_post(session, author_id, **columns)
        session.execute(
            text("INSERT INTO post_images VALUES (:post, 0, :media)"), {"post": post_id, "media": media_id}
        )
        session.execute(
            text("UPDATE media_items SET post_id = :post WHERE media_id = :media"),
            {"post": post_id, "media": media_id},
        )
        put_in_feed(session, author_id, post_id, author_id)
        return post_id

    def _edges(self, session: Session) -> None:
        first, second, third, fourth, *_ = self.others
        for other in self.others[:4]:
            relate(session, other, "f", self.person)
            for post_id in self.posts:
                put_in_feed(session, other, post_id, self.person)
        for other in (first, second):
            relate(session, self.person, "f", other)
            put_in_feed(session, self.person, self.others_posts[self.others.index(other)], other)
        relate(session, self.person, "r", third)
        relate(session, self.others[4], "r", self.person)
        relate(session, self.person, "b", self.others[5])
        relate(session, fourth, "m", self.person)
        relate(session, first, "f", second)
        relate(session, second, "f", first)
        put_in_feed(session, second, self.others_posts[0], first)

    def _likes_and_news(self, session: Session) -> None:
        for post_id, author_id in zip(self.others_posts, self.others, strict=False):
            like(session, self.person, post_id)
            self._tell(session, author_id, self.person, post_id)
            like(session, self.others[3], post_id)
            self._tell(session, author_id, self.others[3], post_id)
        for other in self.others[:3]:
            like(session, other, self.posts[0])
            self._tell(session, self.person, other, self.posts[0])
        like(session, self.person, self.posts[0])
        gone = make_post(session, self.person, caption="Gone", deleted_at=LONG_AGO, id=new_id())
        like(session, self.others[0], gone)
        make_post(session, self.person, state="processing")

    def _tell(self, session: Session, recipient_id: UUID, actor_id: UUID, post_id: UUID) -> None:
        notify(
            session,
            recipient_id=recipient_id,
            kind=NotificationKind.LIKE,
            actor_id=actor_id,
            object_id=post_id,
            post_id=post_id,
            now=LONG_AGO,
        )

    def _traces(self, session: Session) -> None:
        for someone in (self.person, self.others[0]):
            move_read_marker(session, recipient_id=someone, read_until=LONG_AGO, now=LONG_AGO)
            session.execute(_KEEP_REPLY, {"id": str(someone)})
            likes_listed = {NotificationKind.LIKE: NotificationDelivery.LIST}
            set_preferences(session, user_id=someone, deliveries=likes_listed)
        deliver(
            session,
            "auth.friends.found.v1",
            account_id=self.person,
            friend_ids=self.others[1:4],
            found_at=LONG_AGO,
        )
        deliver(
            session,
            "auth.friends.found.v1",
            account_id=self.others[4],
            friend_ids=[self.others[5]],
            found_at=LONG_AGO,
        )


def assert_nothing_is_left(session: Session, person: UUID) -> None:
    """Hold when only the tombstone and its like name a person, and nobody else's count is wrong."""
    assert set(rows_naming(session, person)) <= MAY_NAME_THEM
    assert session.scalars(MISCOUNTED).all() == []
