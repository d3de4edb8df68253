"""Reads of what a person has been told, group by group, and how much of it is new."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select

from igloo_common.statements import Statement
from igloo_social.models.notifications import NOTIFICATION_GROUPS, NOTIFICATIONS, READ_MARKERS
from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.queries.posts import LIMIT, Page, Scan, keyset, page_of
from igloo_social.queries.profiles import PERSON_COLUMNS
from igloo_social.queries.visibility import HIDDEN_PEOPLE, VIEWER, person_is_shown, probe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Select

    from igloo_common.database import Reader

ACTORS_SHOWN = 3
"""How many of a group's people are named; the others are a number."""

UNREAD_COUNTED_AT_MOST = 1_000
"""Counting stops here: no badge shows more, and a neglected account must not cost more."""

LONGEST_SCAN = 101
"""No page reads more groups: the API's largest page, and one to see whether more remain."""


class FactRow(NamedTuple):
    """A group, with one of the newest of its facts that are shown; without one, the rest is None."""

    id: UUID
    kind: str
    latest_at: datetime
    is_read: bool
    actor_count: int
    fact_id: UUID | None
    object_id: UUID | None
    post_id: UUID | None
    user_id: UUID | None
    username: str | None
    display_name: str | None
    avatar_url: str | None


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group of news as its recipient sees it: each fact is another person's, the newest first."""

    id: UUID
    latest_at: datetime
    facts: Sequence[FactRow]

    @property
    def is_shown(self) -> bool:
        """Whether anything of it is left for the recipient to see."""
        return self.facts[0].fact_id is not None


def notifications_of(reader: Reader, *, recipient_id: UUID, scan: Scan) -> Page[GroupView]:
    """Read a page of what a person has been told, the last first.

    Groups of nobody but hidden people are among the rows, and not to be shown: a page's cursor is the last
    group scanned.
    """
    statement = _page(newer=scan.newer, bounded=scan.at is not None)
    rows = statement.rows(reader, {**scan.parameters(), "viewer_id": recipient_id})
    return page_of(list(_groups(rows)), scan)


def unread_count_of(reader: Reader, *, recipient_id: UUID) -> int:
    """Count the groups that moved since the read marker and show something, up to UNREAD_COUNTED_AT_MOST."""
    row = _UNREAD.row(reader, {"viewer_id": recipient_id})
    return 0 if row is None else int(row[0])


def _groups(rows: Sequence[tuple[Any, ...]]) -> Iterator[GroupView]:
    for group_id, facts in groupby((FactRow(*row) for row in rows), key=lambda fact: fact.id):
        found = list(facts)
        yield GroupView(group_id, found[0].latest_at, found)


_READ_UNTIL: ColumnElement[Any] = func.coalesce(
    select(READ_MARKERS.c.read_until).where(READ_MARKERS.c.recipient_id == VIEWER).scalar_subquery(),
    literal_column("'-infinity'::timestamptz"),
)
# A probe for the person, and no join: groups are of one fact or of thousands, and a join is planned for few,
# by reading all of a group. A scan of one table stops after the first facts that are shown.
_IS_SHOWN = and_(
    NOTIFICATIONS.c.is_newest,
    or_(
        NOTIFICATIONS.c.actor_id.is_(None),
        and_(
            person_is_shown(NOTIFICATIONS.c.actor_id),
            probe(PROFILES, PROFILES.c.user_id == NOTIFICATIONS.c.actor_id, is_here()),
        ),
    ),
)
_SHOWS_SOMETHING = probe(NOTIFICATIONS, NOTIFICATIONS.c.group_id == NOTIFICATION_GROUPS.c.id, _IS_SHOWN)
UNREAD_STATEMENT = select(func.count()).select_from(
    select(literal_column("1"))
    .select_from(NOTIFICATION_GROUPS)
    .where(
        NOTIFICATION_GROUPS.c.recipient_id == VIEWER,
        NOTIFICATION_GROUPS.c.latest_at > _READ_UNTIL,
        _SHOWS_SOMETHING,
    )
    .limit(literal_column(str(UNREAD_COUNTED_AT_MOST)))
    .subquery("unread")
)
_UNREAD = Statement(UNREAD_STATEMENT)


def page_statement(*, newer: bool, bounded: bool) -> Select[Any]:
    """Write the statement of one page: `bounded` by the place that a cursor names, or the newest.

    Its rows are FactRow's: of each group as many as are named of it, and one where nobody is.
    """
    groups = NOTIFICATION_GROUPS
    own = select(groups).where(groups.c.recipient_id == VIEWER)
    # Limited twice, as the feed is: see `queries/timeline.py`.
    reach = keyset(own, groups.c.latest_at, groups.c.id, newer=newer, bounded=bounded)
    reach_limited = reach.limit(None).limit(literal_column(str(LONGEST_SCAN))).subquery("reach")
    actor_count = reach_limited.c.actor_count - _hidden_actors(reach_limited.c.id)
    scanned = (
        select(
            reach_limited.c.id,
            reach_limited.c.kind,
            reach_limited.c.latest_at,
            (reach_limited.c.latest_at <= _READ_UNTIL).label("is_read"),
            actor_count.label("actor_count"),
        )
        .limit(LIMIT)
        .subquery("scanned")
    )
    newest = (
        select(NOTIFICATIONS)
        .where(NOTIFICATIONS.c.group_id == scanned.c.id, _IS_SHOWN)
        .order_by(NOTIFICATIONS.c.created_at.desc(), NOTIFICATIONS.c.id.desc())
        .limit(literal_column(str(ACTORS_SHOWN)))
        .correlate(scanned, HIDDEN_PEOPLE)
        .lateral("newest")
    )
    place = (scanned.c.latest_at, scanned.c.id)
    return (
        select(*scanned.c, newest.c.id, newest.c.object_id, newest.c.post_id, *PERSON_COLUMNS)
        .select_from(
            scanned.outerjoin(newest, literal_column("true")).outerjoin(
                PROFILES, PROFILES.c.user_id == newest.c.actor_id
            )
        )
        .order_by(
            *(place if newer else (column.desc() for column in place)),
            newest.c.created_at.desc(),
            newest.c.id.desc(),
        )
    )


def _hidden_actors(group_id: ColumnElement[UUID]) -> ColumnElement[int]:
    """Count a group's people who are hidden from the viewer, starting from the hidden, mostly none."""
    one = (
        select(literal_column("1").label("one"))
        .select_from(NOTIFICATIONS)
        .where(NOTIFICATIONS.c.group_id == group_id, NOTIFICATIONS.c.actor_id == HIDDEN_PEOPLE.c.user_id)
        .limit(literal_column("1"))
        .correlate_except(NOTIFICATIONS)
        .lateral("one_fact")
    )
    hidden = select(func.count()).select_from(HIDDEN_PEOPLE.join(one, literal_column("true")))
    return hidden.correlate_except(HIDDEN_PEOPLE, one).scalar_subquery()


@cache
def _page(*, newer: bool, bounded: bool) -> Statement:
    return Statement(page_statement(newer=newer, bounded=bounded))
