"""The page of people that several routes answer with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from igloo_common.pagination import neighbours, page_response
from igloo_social.api.pages import PageRequest
from igloo_social.queries.familiar_people import count_familiar_people, familiar_people
from igloo_social.queries.people import people_around
from igloo_social.schemas.profiles import person_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from flask import Response
    from sqlalchemy import Row

    from igloo_common.database import Reader
    from igloo_common.pagination import PageQuery
    from igloo_social.queries.people import PeopleList


def people_response(
    reader: Reader,
    *,
    people: PeopleList,
    user_id: UUID,
    viewer_id: UUID | None,
    query: PageQuery,
    present: Callable[[Row[Any]], object] = person_json,
) -> Response:
    """Answer with a page of the people around `user_id`; its cursors fit this list and viewer alone."""
    scope = f"{people.name}:{user_id}:{viewer_id}"
    asked = query.position(scope=scope)
    page = people_around(
        reader, people=people, user_id=user_id, viewer_id=viewer_id, asked=asked, limit=query.limit
    )
    scanned = [(row.created_at, row.user_id) for row in page.rows]
    around = neighbours(scanned, asked=asked, more=page.more)
    return page_response([present(row) for row in page.rows], scope=scope, around=around)


def familiar_people_response(
    reader: Reader, *, people: PeopleList, user_id: UUID, viewer_id: UUID, query: PageQuery
) -> Response:
    """Answer with a page of those around `user_id` whom the viewer follows too, and how many these are."""
    page = PageRequest(query, scope=f"{people.name}:familiar:{user_id}:{viewer_id}")
    found = familiar_people(reader, people=people, user_id=user_id, viewer_id=viewer_id, scan=page.scan)
    count = count_familiar_people(reader, people=people, user_id=user_id, viewer_id=viewer_id)
    return page.response(
        [person_json(row) for row in found.rows],
        scanned=[(row.created_at, row.user_id) for row in found.rows],
        more=found.more,
        more_of_page={"familiar_count": count},
    )
