"""Accounts that are deleted, and what is left of them in the social service's database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import text

from factories.social_comments import comment, mention
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
from igloo_social.operations.tags import agree_tags

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from flask import Flask
    from sqlalchemy.orm import Session

ENDPOINT = "arn:aws:sns:us-east-1:123456789012:endpoint/APNS/igloo"
MUTED_UNTIL = LONG_AGO + timedelta(days=40_000)
MAY_NAME_THEM: Mapping[str, str] = {
    "profiles.user_id": "the tombstone, which late events and tokens find",
    "former_usernames.user_id": "they stay reserved, as the last one does",
    "account_tasks.account_id": "the receipt of the deletion, for thirty days",
    "outbox.aggregate_key": "published, for two weeks",
    "outbox.payload": "ids and times alone",
    "event_sequences.aggregate_key": "numbers of events, which must not begin anew",
    "inbox.aggregate_key": "what has come already, for two weeks",
    "inbox.payload": "ids and times alone",
    "feed_changes.subject_id": "followers' phones are told to drop the person's posts, for a week",
    "moderation_actions.owner_id": "the trail of moderation, which nobody can change",
    "moderation_actions.target_id": "likewise",
    "moderation_actions.moderator_id": "likewise",
}
"""The columns in which a deleted person's id may be found, and why."""

NAME_NOBODY: Mapping[str, str] = {
    "alembic_version": "of the schema",
    "parked_messages": "what could not be read at all, for two weeks",
    "rate_limits": "how often something was done, under keyed hashes, for minutes",
    "post_images": "of posts, without which no row can be",
    "post_tags": "likewise",
    "post_revisions": "likewise",
    "retired_endpoints": "addresses at SNS without their owners, which are deleted there",
    "key_copies": "public keys of the auth service",
    "revoked_sessions": "sessions, until their tokens have run out",
}
"""The tables with no column for a person's id, and what they hold."""

_KEEP_REPLY = text(
    "INSERT INTO idempotency_keys VALUES (:id, 'POST /v1/posts', 'key', '', 201, '[]', '{}', now())"
)
_MUTE_ENDS = text("UPDATE relations SET expires_at = :at WHERE from_user = :id AND relation_type = 'm'")
_NAME = text("""
WITH named AS (INSERT INTO post_mentions VALUES (:post, :person, 'somebody'))
UPDATE posts SET mention_count = mention_count + 1 WHERE id = :post
""")
_TAG = text("UPDATE posts SET tags = '{snow}' WHERE id = :post")
_REVISE = text("INSERT INTO post_revisions VALUES (:post, 1, 'Snwo', 'public', :at, :at)")
_KEEP = text("INSERT INTO bookmarks VALUES (:person, :post, :at)")
_DISMISS = text("INSERT INTO dismissed_suggestions VALUES (:person, :other, :at)")
_FORMER = text("INSERT INTO former_usernames VALUES (:username, :person, :at)")
_CHANGED = text("INSERT INTO feed_changes VALUES (:owner, :at, :subject, 'a')")
_POST_CHANGED = text("INSERT INTO post_changes VALUES (:author, :at, :post)")
_REPORT = text("""
INSERT INTO reports (id, reporter_id, target_kind, target_id, owner_id, reason, note, snapshot, created_at)
VALUES (:id, :reporter, :kind, :target, :owner, 'spam', 'Too white', :snapshot, :at)
""")
_DECIDE = text("""
INSERT INTO moderation_actions
    (id, moderator_id, action, report_id, target_kind, target_id, owner_id, acted_at)
VALUES (:id, :reporter, 'view', :report, :kind, :target, :owner, :at)
""")
_SET_APART = text("INSERT INTO suspended_relations VALUES (:one, :other, 'f', :at)")
_SET_LIKE_APART = text("INSERT INTO suspended_likes VALUES (:person, :post, :at)")
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
WHERE author.deleted_at IS NULL AND (
    like_count <> (SELECT count(*) FROM likes WHERE post_id = posts.id)
    OR comment_count <> (SELECT count(*) FROM comments
        WHERE post_id = posts.id AND comments.deleted_at IS NULL AND hidden_by IS NULL)
    OR mention_count <> (SELECT count(*) FROM post_mentions WHERE post_id = posts.id)
)
UNION ALL
SELECT id::text FROM comments
WHERE mention_count <> (SELECT count(*) FROM comment_mentions WHERE comment_id = comments.id)
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


def tables_of(session: Session) -> set[str]:
    """List all tables of the schema."""
    return set(session.scalars(_TABLES))


def places_naming(session: Session, words: str) -> set[str]:
    """Find all columns of all tables in which an id, or other words, stand anywhere."""
    session.rollback()
    return {
        f"{table}.{column}"
        for table in session.scalars(_TABLES)
        for column in session.scalars(
            text(
                "SELECT DISTINCT key FROM (SELECT to_jsonb(t) AS fields FROM "  # noqa: S608 - our tables
                f"{table} t) rows, jsonb_each_text(fields) WHERE strpos(value, :words) > 0"
            ),
            {"words": words},
        )
    }


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
        "comments": "SELECT c.id, c.author_id, text, c.deleted_at, hidden_by, p.author_id AS owner_id"
        " FROM comments c JOIN posts p ON p.id = c.post_id",
        "comment_mentions": "SELECT m.*, c.author_id, p.author_id AS owner_id FROM comment_mentions m"
        " JOIN comments c ON c.id = m.comment_id JOIN posts p ON p.id = c.post_id",
        "post_mentions": "SELECT m.*, p.author_id FROM post_mentions m JOIN posts p ON p.id = m.post_id",
        "post_tags": "SELECT t.*, p.author_id FROM post_tags t JOIN posts p ON p.id = t.post_id",
        "post_revisions": "SELECT r.*, p.author_id FROM post_revisions r JOIN posts p ON p.id = r.post_id",
        "bookmarks": "SELECT b.*, p.author_id FROM bookmarks b JOIN posts p ON p.id = b.post_id",
        "dismissed_suggestions": "SELECT * FROM dismissed_suggestions",
        "former_usernames": "SELECT * FROM former_usernames",
        "notification_groups": "SELECT id, recipient_id, kind FROM notification_groups",
        "suspended_relations": "SELECT * FROM suspended_relations",
        "suspended_likes": "SELECT l.*, p.author_id FROM suspended_likes l JOIN posts p ON p.id = l.post_id",
        "reports": "SELECT * FROM reports WHERE reporter_id IS NOT NULL",
        "moderation_actions": "SELECT * FROM moderation_actions",
        "feed_changes": "SELECT * FROM feed_changes",
        "post_changes": "SELECT * FROM post_changes",
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
        self.devices = [
            make_device(session, someone, endpoint_arn=f"{ENDPOINT}/{number}")
            for number, someone in enumerate((self.person, self.others[0]))
        ]
        self._edges(session)
        self._likes_and_news(session)
        self._words(session)
        self._kept(session)
        self._moderation(session)
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
        relate(session, self.person, "m", self.others[4])
        session.execute(_MUTE_ENDS, {"at": MUTED_UNTIL, "id": self.person})
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

    def _words(self, session: Session) -> None:
        """Have the person and the others comment on, mention, tag and edit each other's posts."""
        first, second, *_ = self.others
        theirs, of_first, of_second = self.posts[0], self.others_posts[0], self.others_posts[1]
        for author, post_id, named in (
            (self.person, of_first, first),
            (self.person, theirs, second),
            (first, theirs, second),
            (first, of_second, self.person),
            (second, of_first, first),
        ):
            said = comment(session, author, post_id, text="So white!")
            mention(session, said, named, "somebody")
        comment(session, self.person, of_first, text="", deleted_at=LONG_AGO)
        comment(session, self.person, of_second, text="Rude", hidden_by="moderation")
        for post_id, named in ((theirs, first), (of_first, self.person), (of_second, first)):
            session.execute(_NAME, {"post": post_id, "person": named})
        for post_id in (theirs, of_first):
            session.execute(_TAG, {"post": post_id})
            agree_tags(session, post_id)
            session.execute(_REVISE, {"post": post_id, "at": LONG_AGO})

    def _kept(self, session: Session) -> None:
        """Have them keep posts, dismiss suggestions and change usernames, and have feeds that changed."""
        first, second, third, *_ = self.others
        theirs, of_first, of_second = self.posts[0], *self.others_posts[:2]
        for someone, post_id in (
            (self.person, of_first),
            (self.person, theirs),
            (first, theirs),
            (first, of_second),
        ):
            session.execute(_KEEP, {"person": someone, "post": post_id, "at": LONG_AGO})
        for someone, other in ((self.person, third), (second, self.person), (first, third)):
            session.execute(_DISMISS, {"person": someone, "other": other, "at": LONG_AGO})
        for someone, username in ((self.person, "white.hare"), (first, "grey.seal")):
            session.execute(_FORMER, {"person": someone, "username": username, "at": LONG_AGO})
        for owner, subject in ((self.person, first), (first, self.person), (first, second)):
            session.execute(_CHANGED, {"owner": owner, "subject": subject, "at": LONG_AGO})
        for author, post_id in ((self.person, theirs), (first, of_first)):
            session.execute(_POST_CHANGED, {"author": author, "post": post_id, "at": LONG_AGO})

    def _moderation(self, session: Session) -> None:
        """Have some reports and decisions, and what suspensions set apart."""
        first, second, third, fourth, *_ = self.others
        for reporter, kind, target, owner in (
            (self.person, "user", third, third),
            (first, "user", self.person, self.person),
            (second, "post", self.posts[0], self.person),
            (first, "user", second, second),
        ):
            about = {"reporter": reporter, "kind": kind, "target": target, "owner": owner, "at": LONG_AGO}
            snapshot = {"display_name": "Snow Hare", "reported": str(owner)}
            session.execute(_REPORT, {**about, "id": new_id(), "snapshot": orjson.dumps(snapshot).decode()})
            session.execute(_DECIDE, {**about, "id": new_id(), "report": new_id()})
        for one, other in ((self.person, fourth), (self.others[4], self.person), (first, fourth)):
            session.execute(_SET_APART, {"one": one, "other": other, "at": LONG_AGO})
        likes = (self.person, self.others_posts[1]), (fourth, self.posts[1]), (second, self.others_posts[0])
        for someone, post_id in likes:
            session.execute(_SET_LIKE_APART, {"person": someone, "post": post_id, "at": LONG_AGO})

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
    assert places_naming(session, str(person)) - MAY_NAME_THEM.keys() == set()
    assert session.scalars(MISCOUNTED).all() == []
