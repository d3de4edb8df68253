"""A model of a phone that keeps its feed, and catches up with what it is told of changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from igloo_social.api.changes_tokens import ChangesToken
from igloo_social.queries.feed_changes import feed_changes
from igloo_social.queries.posts import PostView, Scan
from igloo_social.queries.timeline import feed_page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from random import Random

    from sqlalchemy.orm import Session

Place = tuple["datetime", UUID]


@dataclass(frozen=True)
class Kept:
    """What a phone keeps of a post."""

    place: Place
    author_id: UUID
    caption: str
    visibility: str


def kept(row: Sequence[Any]) -> Kept:
    """Take what a phone keeps out of POST_COLUMNS."""
    post = PostView(*row)
    assert post.published_at is not None
    return Kept((post.published_at, post.id), post.author_id, post.caption, post.visibility)


def whole_feed(session: Session, owner: UUID) -> dict[UUID, Kept]:
    """Read a person's feed to its end."""
    found: dict[UUID, Kept] = {}
    scan, more = Scan(limit=100), True
    while more:
        page = feed_page(session, owner_id=owner, scan=scan)  # type: ignore[arg-type]
        found |= {row[1]: kept(row[2:]) for row in page.rows if row[2] is not None}
        more = page.more
        if more:
            scan = Scan(limit=100, at=page.rows[-1][0], id=page.rows[-1][1])
    return found


@dataclass
class Phone:
    """It keeps all posts from `reach` on, which is None once it has read to the end."""

    owner: UUID
    random: Random
    posts: dict[UUID, Kept] = field(default_factory=dict)
    reach: Place | None = None
    token: ChangesToken | None = None

    def start(self, session: Session, now: datetime) -> None:
        """Read the first page."""
        self.token, self.posts = ChangesToken(until=now), {}
        self._read_page(session, Scan(limit=4))

    def scroll(self, session: Session) -> None:
        """Read on behind what is kept."""
        if self.reach is not None:
            self._read_page(
                session, Scan(limit=self.random.randint(1, 6), at=self.reach[0], id=self.reach[1])
            )

    def poll(self, session: Session, now: datetime) -> None:
        """Ask for changes until there are no more, in pages as small as they may be."""
        assert self.token is not None
        while self._apply_next(session, now):
            pass

    def _apply_next(self, session: Session, now: datetime) -> bool:
        token = self.token
        assert token is not None
        until = token.reading_until(now)
        found = feed_changes(
            session,
            owner_id=self.owner,
            given_at=token.until,
            after=token.after,
            until=until,
            limit=self.random.randint(1, 9),
        )
        assert not found.is_expired
        gone_authors, gone = set(found.removed_author_ids), set(found.removed_post_ids)
        self.posts = {
            post_id: post
            for post_id, post in self.posts.items()
            if post_id not in gone and post.author_id not in gone_authors
        }
        self.posts |= {row[0]: kept(row) for row in found.posts}
        if found.gap_before is not None:
            gap = (found.gap_before, UUID(int=0))
            self.reach = gap if self.reach is None else max(gap, self.reach)
        self._drop_what_is_out_of_reach()
        last = found.scanned[-1] if found.more else None
        self.token = ChangesToken(until=until, place=None if last is None else (last.at, last.id))
        return found.more

    def _read_page(self, session: Session, scan: Scan) -> None:
        page = feed_page(session, owner_id=self.owner, scan=scan)  # type: ignore[arg-type]
        self.posts |= {row[1]: kept(row[2:]) for row in page.rows if row[2] is not None}
        self.reach = (page.rows[-1][0], page.rows[-1][1]) if page.more else None

    def _drop_what_is_out_of_reach(self) -> None:
        if (reach := self.reach) is not None:
            self.posts = {post_id: post for post_id, post in self.posts.items() if post.place >= reach}
