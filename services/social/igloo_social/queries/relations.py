"""Reads of the relation graph, each named after the end that is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, exists, true

from igloo_social.models.relations import Relation, RelationType

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import InstrumentedAttribute


def not_blocked(
    viewer_id: UUID | None, user_column: ColumnElement[UUID] | InstrumentedAttribute[UUID]
) -> ColumnElement[bool]:
    """Hold where no block stands between the viewer and the person in `user_column`, either way.

    An anonymous viewer has no blocks. Each side is a look into the primary key.
    """
    if viewer_id is None:
        return true()
    mine, theirs = Relation.__table__.alias("mine"), Relation.__table__.alias("theirs")
    # Two probes of the primary key; one EXISTS with OR inside would not be planned as two.
    return and_(
        ~exists().where(
            mine.c.from_user == viewer_id,
            mine.c.to_user == user_column,
            mine.c.relation_type == RelationType.BLOCK.value,
        ),
        ~exists().where(
            theirs.c.from_user == user_column,
            theirs.c.to_user == viewer_id,
            theirs.c.relation_type == RelationType.BLOCK.value,
        ),
    )
