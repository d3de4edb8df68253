"""What phones ask for all day, by name: run in a town, each shows the statements that it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from igloo_social.operations import bookmarks, comments, follows, posts, timeline
from igloo_social.operations import likes as like_operations
from igloo_social.queries import bookmarks as kept_posts
from igloo_social.queries import comments as said
from igloo_social.queries import explore, likes, moderation, notifications, profiles, relations, revisions
from igloo_social.queries import posts as post_queries
from igloo_social.queries import suggestions as suggested
from igloo_social.queries.familiar_people import count_familiar_people, familiar_people
from igloo_social.queries.feed_changes import feed_changes
from igloo_social.queries.people import PeopleList, people_around
from igloo_social.queries.posts import Scan
from igloo_social.queries.search import search_people
from igloo_social.queries.tags import tag_page
from igloo_social.queries.timeline import feed_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

PAGE: Final = Scan(limit=20)
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Who asks for what in a town: people and things that are there, the largest of their kind."""

    viewer_id: UUID
    fan_id: UUID
    """Who follows popular people, whose posts are merged into the feed."""
    celebrity_id: UUID
    people: Sequence[UUID]
    post_id: UUID
    edited_post_id: UUID
    popular_post_id: UUID
    tag: str
    typed: str
    """What several people's usernames begin with."""
    misspelt: str
    published_after: datetime
    """Of the feeds, some posts are newer."""


@dataclass(frozen=True, kw_only=True)
class HotRead:
    """A read, and why its plans are good: in one sentence, for those who see them."""

    name: str
    why: str
    read: Callable[[Connection, Place], object]
    sorted_rows: int = 2 * 101
    """How many rows one of its sorts may be given: two pages, unless it says why there are more."""


@dataclass(frozen=True, kw_only=True)
class HotWrite:
    """A change, which is planned and taken back."""

    name: str
    write: Callable[[Session, Place], object]


def _deep(place: Place) -> Scan:
    """Read on from the middle of a list."""
    return Scan(limit=20, at=place.published_after, id=place.post_id)


READS: Final = (
    HotRead(
        name="home feed",
        why="One range of the primary key of `timeline` gives the ids; each post is then a few looks by key.",
        read=lambda reader, at: feed_page(reader, owner_id=at.viewer_id, scan=PAGE),
    ),
    HotRead(
        name="home feed, from a cursor on",
        why="The cursor is part of the index condition, so page 200 begins where it begins.",
        read=lambda reader, at: feed_page(reader, owner_id=at.viewer_id, scan=_deep(at)),
    ),
    HotRead(
        name="home feed with popular people merged into it",
        why="One look at the newest post of each of them finds whose posts can be on the page at all.",
        read=lambda reader, at: feed_page(reader, owner_id=at.fan_id, scan=PAGE),
        # As many as the page holds of each of the followees who may be on it.
        sorted_rows=21 * 22,
    ),
    HotRead(
        name="changes of the feed",
        why="A range of each of four indexes from the token's time on, and looks by key for what they name.",
        read=lambda reader, at: feed_changes(
            reader,
            owner_id=at.viewer_id,
            given_at=at.published_after,
            after=(at.published_after, UUID(int=0)),
            until=datetime.now(UTC),
            limit=50,
        ),
    ),
    HotRead(
        name="profile",
        why="One row by its key, and two ranges of the edges between two people.",
        read=lambda reader, at: profiles.find_profile(
            reader, user_id=at.celebrity_id, viewer_id=at.viewer_id
        ),
    ),
    HotRead(
        name="a person's posts",
        why="The index of the author's posts is in the order of the page, and ends with it.",
        read=lambda reader, at: post_queries.posts_of(
            reader, author_id=at.celebrity_id, viewer_id=at.viewer_id, scan=PAGE
        ),
    ),
    HotRead(
        name="followers",
        why="The index of who follows somebody is in the order of the page: 100,000 others are not read.",
        read=lambda reader, at: people_around(
            reader,
            people=PeopleList.FOLLOWERS,
            user_id=at.celebrity_id,
            viewer_id=at.viewer_id,
            asked=None,
            limit=20,
        ),
    ),
    HotRead(
        name="followers whom one follows",
        why="It walks along one's own followees, newest first, and looks each up among the followers.",
        read=lambda reader, at: familiar_people(
            reader,
            people=PeopleList.FOLLOWERS,
            user_id=at.celebrity_id,
            viewer_id=at.viewer_id,
            scan=PAGE,
        ),
    ),
    HotRead(
        name="number of followers whom one follows",
        why="Likewise, for all of one's followees, of whom there are thousands at most; it stops at 1,000.",
        read=lambda reader, at: count_familiar_people(
            reader, people=PeopleList.FOLLOWERS, user_id=at.celebrity_id, viewer_id=at.viewer_id
        ),
    ),
    HotRead(
        name="post",
        why="The post and its author by their keys; counts are stored, less the few hidden people.",
        read=lambda reader, at: post_queries.find_post(reader, post_id=at.post_id, viewer_id=at.viewer_id),
    ),
    HotRead(
        name="revisions of a post",
        why="A range of the primary key.",
        read=lambda reader, at: revisions.revisions_of(reader, post_id=at.edited_post_id, scan=PAGE),
    ),
    HotRead(
        name="likers",
        why="The index of a post's likes is in the order of the page.",
        read=lambda reader, at: likes.likers_of(
            reader, post_id=at.popular_post_id, viewer_id=at.viewer_id, scan=PAGE
        ),
    ),
    HotRead(
        name="comments",
        why="The index of a post's comments is in the order of the page; its authors are looked up by key.",
        read=lambda reader, at: said.comments_of(
            reader, post_id=at.popular_post_id, viewer_id=at.viewer_id, scan=PAGE
        ),
    ),
    HotRead(
        name="page of a tag",
        why="A range of the primary key of `post_tags`, and each post by its key.",
        read=lambda reader, at: tag_page(reader, tag=at.tag, viewer_id=at.viewer_id, scan=PAGE),
    ),
    HotRead(
        name="explore",
        why="The partial index of what is out for everybody is in the order of the page.",
        read=lambda reader, at: explore.explore_page(reader, viewer_id=at.viewer_id, scan=PAGE),
    ),
    HotRead(
        name="search by a beginning",
        why="Two ranges of a hundred names each, however many begin so.",
        read=lambda reader, at: search_people(
            reader, typed=at.typed, username=at.typed, viewer_id=at.viewer_id, limit=1
        ),
    ),
    HotRead(
        name="search by likeness",
        why="The function `names_like` asks the index of trigrams; what it gives is at most 500 people.",
        read=lambda reader, at: search_people(
            reader, typed=at.misspelt, username=at.misspelt, viewer_id=at.viewer_id, limit=20
        ),
        sorted_rows=500,
    ),
    HotRead(
        name="suggestions",
        why="The newest 50 followees of one's newest 100, each a range of an index, are counted in memory.",
        read=lambda reader, at: suggested.suggestions_for(reader, viewer_id=at.viewer_id, scan=PAGE),
        sorted_rows=100 * 50,
    ),
    HotRead(
        name="relationships with 100 people",
        why="Two ranges of the primary key for each.",
        read=lambda reader, at: relations.relationships_with(
            reader, viewer_id=at.viewer_id, user_ids=at.people
        ),
    ),
    HotRead(
        name="bookmarks",
        why="The index of one's bookmarks is in the order of the page.",
        read=lambda reader, at: kept_posts.bookmarks_of(reader, owner_id=at.viewer_id, scan=PAGE),
    ),
    HotRead(
        name="notifications",
        why="The index of one's groups is in the order of the page; of each, the newest three are a range.",
        read=lambda reader, at: notifications.notifications_of(reader, recipient_id=at.viewer_id, scan=PAGE),
    ),
    HotRead(
        name="unread count",
        why="A range of one's groups behind the marker, with a look into each; it stops at 1,000.",
        read=lambda reader, at: notifications.unread_count_of(reader, recipient_id=at.viewer_id),
    ),
    HotRead(
        name="queue of reports",
        why="The partial index of open reports is in the order of the queue.",
        read=lambda reader, at: moderation.reports_in_state(
            reader, is_open=True, moderator_id=at.viewer_id, scan=Scan(limit=20, newer=True)
        ),
    ),
)

WRITES: Final = (
    HotWrite(
        name="follow",
        write=lambda session, at: follows.follow_account(
            session, actor_id=at.people[0], followee_id=at.viewer_id, now=NOW
        ),
    ),
    HotWrite(
        name="unfollow",
        write=lambda session, at: follows.unfollow_account(
            session, actor_id=at.fan_id, followee_id=at.celebrity_id, now=NOW
        ),
    ),
    HotWrite(
        name="post",
        write=lambda session, at: posts.create_post(
            session, posts.NewPost(caption="First #snow"), author_id=at.viewer_id, now=NOW
        ),
    ),
    HotWrite(
        name="fan-out",
        write=lambda session, at: timeline.fan_out(
            session, post_id=at.post_id, author_id=at.celebrity_id, now=NOW
        ),
    ),
    HotWrite(
        name="like",
        write=lambda session, at: like_operations.like_post(
            session, post_id=at.popular_post_id, user_id=at.viewer_id, now=NOW
        ),
    ),
    HotWrite(
        name="unlike",
        write=lambda session, at: like_operations.unlike_post(
            session, post_id=at.popular_post_id, user_id=at.people[1]
        ),
    ),
    HotWrite(
        name="comment",
        write=lambda session, at: comments.add_comment(
            session, post_id=at.popular_post_id, author_id=at.viewer_id, text="So cold!", now=NOW
        ),
    ),
    HotWrite(
        name="bookmark",
        write=lambda session, at: bookmarks.keep_post(
            session, post_id=at.popular_post_id, user_id=at.viewer_id, now=NOW
        ),
    ),
)

# Tables that hold a handful of rows however large the town is.
_TINY: Final = 150
SMALL_TABLES: Final = frozenset({"account_tasks"})


def weaknesses(plan: Mapping[str, Any], *, sorted_rows: int = 2 * 101) -> list[str]:
    """List what must not be in a plan: tables read from end to end, and sorts of more than a page or so."""
    found = []
    for node in _nodes(plan):
        table = node.get("Relation Name")
        if node["Node Type"] == "Seq Scan" and table not in SMALL_TABLES and not _is_tiny(node):
            found.append(f"reads all of {table}")
        if node["Node Type"] == "Sort":
            # What it is given, of which it may hand on no more than the first.
            given = node["Plans"][0].get("Actual Rows", 0)
            if given > sorted_rows:
                found.append(f"sorts {given:.0f} rows")
    return found


def _is_tiny(scan: Mapping[str, Any]) -> bool:
    """Tell whether a table that was read through is of a page or two, as some are in a small town."""
    read = scan.get("Actual Rows", float("inf")) + scan.get("Rows Removed by Filter", 0)
    return bool(read * scan.get("Actual Loops", 1) <= _TINY)


def _nodes(plan: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in _nodes(child))]
