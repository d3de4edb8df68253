"""What moderators read: the queue of reports, one with its thing as it is now, and the trail of decisions."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Uuid,
    bindparam,
    case,
    func,
    literal_column,
    select,
)
from sqlalchemy import Text as SqlText
from sqlalchemy import cast as sql_cast

from igloo_common.errors import NotFound
from igloo_social.models.comments import COMMENTS
from igloo_social.models.posts import POSTS
from igloo_social.models.profiles import PROFILES
from igloo_social.models.reports import MODERATION_ACTIONS, REPORTS, ReportTarget
from igloo_social.queries.posts import Page, Scan, keyset, page_of
from igloo_social.queries.profiles import PERSON_COLUMNS
from igloo_social.queries.visibility import VIEWER

if TYPE_CHECKING:
    from sqlalchemy import Row, Select

    from igloo_common.database import Reader

OPEN_COUNTED_AT_MOST = 100
"""Counting a thing's open reports stops here, so that a wave of them does not make the queue slow."""


class ReportNotFound(NotFound):
    """There is no such report."""

    def __init__(self) -> None:
        super().__init__("There is no such report.")


def reports_in_state(reader: Reader, *, is_open: bool, moderator_id: UUID, scan: Scan) -> Page[Row[Any]]:
    """Read a page of reports, less those against the moderator: newest first, as all pages are read."""
    statement = _reports(is_open=is_open, newer=scan.newer, bounded=scan.at is not None)
    rows = reader.execute(statement, {**scan.parameters(), "viewer_id": moderator_id}).all()
    return page_of(rows, scan)


def open_reports(reader: Reader) -> Row[Any]:
    """Read how many reports nobody has decided about, as `open`, and the age of the oldest in seconds."""
    return reader.execute(_BACKLOG).one()


def report_by_id(reader: Reader, report_id: UUID) -> Row[Any]:
    """Read one report as the queue shows it.

    Raises:
        ReportNotFound: There is none.
    """
    row = reader.execute(_ONE, {"report_id": report_id}).one_or_none()
    if row is None:
        raise ReportNotFound
    return row


def target_as_it_is(reader: Reader, *, kind: ReportTarget, target_id: UUID) -> Row[Any] | None:
    """Read a reported thing as it is now, whoever may see it; None when it is erased."""
    return reader.execute(_TARGETS[kind], {"target_id": target_id}).one_or_none()


def actions_of(
    reader: Reader,
    *,
    target_id: UUID | None,
    owner_id: UUID | None,
    with_views: bool,
    scan: Scan,
) -> Page[Row[Any]]:
    """Read a page of what moderators did, the last first, about one thing or one person or everything."""
    statement = _actions(
        by_target=target_id is not None,
        by_owner=owner_id is not None,
        with_views=with_views,
        newer=scan.newer,
        bounded=scan.at is not None,
    )
    given = {name: value for name, value in (("target_id", target_id), ("owner_id", owner_id)) if value}
    return page_of(reader.execute(statement, {**scan.parameters(), **given}).all(), scan)


def _open_reports() -> ColumnElement[int]:
    other = REPORTS.alias("other")
    some = (
        select(literal_column("1"))
        .where(
            other.c.target_kind == REPORTS.c.target_kind,
            other.c.target_id == REPORTS.c.target_id,
            other.c.resolved_at.is_(None),
        )
        .limit(literal_column(str(OPEN_COUNTED_AT_MOST)))
        .correlate(REPORTS)
        .subquery("some")
    )
    return select(func.count()).select_from(some).scalar_subquery()


def _word(value: str) -> ColumnElement[str]:
    """Write one of our own words into a statement."""
    return literal_column(f"'{value}'", SqlText())


_OWNER_STATE = case(
    (PROFILES.c.deleted_at.is_not(None), _word("deleted")),
    (PROFILES.c.suspended_at.is_not(None), _word("suspended")),
    else_=_word("shown"),
)
_QUEUED = select(
    *REPORTS.c,
    *PERSON_COLUMNS,
    _OWNER_STATE.label("owner_state"),
    _open_reports().label("open_reports"),
).join_from(REPORTS, PROFILES, PROFILES.c.user_id == REPORTS.c.owner_id)
_BACKLOG = select(
    func.count().label("open"),
    func.extract("epoch", func.coalesce(func.now() - func.min(REPORTS.c.created_at), timedelta())).label(
        "oldest_seconds"
    ),
).where(REPORTS.c.resolved_at.is_(None))
_ONE = _QUEUED.where(REPORTS.c.id == bindparam("report_id", type_=Uuid()))

_TARGET_ID = bindparam("target_id", type_=Uuid())
_NOTHING: ColumnElement[Any] = literal_column("NULL")
_TARGETS: dict[ReportTarget, Select[Any]] = {
    ReportTarget.USER: select(
        _OWNER_STATE.label("state"),
        PROFILES.c.bio.label("text"),
        case((PROFILES.c.is_private, _word("private")), else_=_word("public")).label("visibility"),
        sql_cast(_NOTHING, Uuid()).label("post_id"),
        sql_cast(_word("[]"), SqlText()).label("images"),
        PROFILES.c.created_at,
        sql_cast(_NOTHING, SqlText()).label("edited_at"),
    ).where(PROFILES.c.user_id == _TARGET_ID),
    ReportTarget.POST: select(
        case(
            (POSTS.c.deleted_at.is_not(None), _word("deleted")),
            (POSTS.c.state == _word("published"), _word("shown")),
            else_=POSTS.c.state,
        ).label("state"),
        POSTS.c.caption.label("text"),
        POSTS.c.visibility,
        POSTS.c.id.label("post_id"),
        sql_cast(POSTS.c.images, SqlText()).label("images"),
        POSTS.c.created_at,
        POSTS.c.edited_at,
    ).where(POSTS.c.id == _TARGET_ID),
    ReportTarget.COMMENT: select(
        case(
            (COMMENTS.c.deleted_at.is_not(None), _word("deleted")),
            (COMMENTS.c.hidden_by == _word("moderation"), _word("hidden")),
            (COMMENTS.c.hidden_by == _word("suspension"), _word("suspended")),
            else_=_word("shown"),
        ).label("state"),
        COMMENTS.c.text.label("text"),
        POSTS.c.visibility,
        COMMENTS.c.post_id,
        sql_cast(_word("[]"), SqlText()).label("images"),
        COMMENTS.c.created_at,
        sql_cast(_NOTHING, SqlText()).label("edited_at"),
    )
    .join_from(COMMENTS, POSTS, POSTS.c.id == COMMENTS.c.post_id)
    .where(COMMENTS.c.id == _TARGET_ID),
}


@cache
def _reports(*, is_open: bool, newer: bool, bounded: bool) -> Select[Any]:
    resolved_at = REPORTS.c.resolved_at
    state = resolved_at.is_(None) if is_open else resolved_at.is_not(None)
    # Who is reported never learns by whom, not even as a moderator.
    page = _QUEUED.where(state, REPORTS.c.owner_id != VIEWER)
    return keyset(page, REPORTS.c.created_at, REPORTS.c.id, newer=newer, bounded=bounded)


@cache
def _actions(*, by_target: bool, by_owner: bool, with_views: bool, newer: bool, bounded: bool) -> Select[Any]:
    done = select(MODERATION_ACTIONS)
    if by_target:
        done = done.where(MODERATION_ACTIONS.c.target_id == _TARGET_ID)
    if by_owner:
        done = done.where(MODERATION_ACTIONS.c.owner_id == bindparam("owner_id", type_=Uuid()))
    if not with_views:
        done = done.where(MODERATION_ACTIONS.c.action != _word("view"))
    return keyset(done, MODERATION_ACTIONS.c.acted_at, MODERATION_ACTIONS.c.id, newer=newer, bounded=bounded)
