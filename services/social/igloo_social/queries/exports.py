"""Reads of everything held about a person, as of one moment and in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select, text

from igloo_social.models.profiles import PROFILES
from igloo_social.queries.export_sections import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Generator
    from uuid import UUID

    from sqlalchemy.orm import Session

    from igloo_common.database import Reader

ROWS_AT_ONCE: Final = 1_000
"""Rows in memory; a server-side cursor keeps the others where they are."""


def hold_snapshot(session: Session) -> None:
    """Have all that the transaction reads be as of one moment; to be called before it reads anything."""
    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    # Somebody may have more than can be read in the time that a transaction has, and nothing is written here.
    session.execute(text("SET LOCAL transaction_timeout = 0"))


def is_living(reader: Reader, user_id: UUID) -> bool:
    """Tell whether a person is known here and not deleted."""
    living = select(PROFILES.c.user_id).where(PROFILES.c.user_id == user_id, PROFILES.c.deleted_at.is_(None))
    return reader.execute(living).one_or_none() is not None


def section_rows(session: Session, name: str, user_id: UUID) -> Generator[dict[str, Any]]:
    """Read one of SECTIONS row by row, each with its fields' names; close it if not read to the end."""
    with session.execute(
        SECTIONS[name], {"person_id": user_id}, execution_options={"yield_per": ROWS_AT_ONCE}
    ) as rows:
        # Plain strings, which the names are not as SQLAlchemy has them.
        names = ["".join(key) for key in rows.keys()]  # noqa: SIM118 - of a result, not of a dict
        for row in rows:
            yield dict(zip(names, row, strict=True))
