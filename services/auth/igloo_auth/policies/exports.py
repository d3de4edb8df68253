"""How long exports take and last, where their objects lie, and what is to be done about one next."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from igloo_auth.models.account_exports import ExportState

SERVICES: Final = ("auth", "social", "media")
"""Whose parts make an archive, and whose steps make a deletion."""
OWN_SERVICE: Final = "auth"

COLLECTED_WITHIN: Final = timedelta(days=1)
KEPT_FOR: Final = timedelta(days=7)
LINK_LIFE: Final = timedelta(minutes=15)
FORGOTTEN_AFTER: Final = timedelta(days=30)
"""How long a person can still see that an export was there, once its archive is gone."""
EXPORTS_A_DAY: Final = 5

PREFIX: Final = "exports/"

ACCOUNT_DELETED: Final = "account_deleted"
EXPORT_TIMED_OUT: Final = "export_timed_out"


class ExportStep(StrEnum):
    """What a worker does next about an export that is due."""

    COLLECT = "collect"
    WAIT = "wait"
    ARCHIVE = "archive"
    TIDY = "tidy"
    FAIL = "fail"
    EXPIRE = "expire"


def next_step(
    *, state: ExportState, collected: Collection[str], expires_at: datetime, now: datetime
) -> ExportStep:
    """Decide what is to be done about an export that is due."""
    if state is ExportState.READY:
        return ExportStep.TIDY if now < expires_at else ExportStep.EXPIRE
    if now >= expires_at:
        return ExportStep.FAIL
    if OWN_SERVICE not in collected:
        return ExportStep.COLLECT
    return ExportStep.ARCHIVE if set(SERVICES) <= set(collected) else ExportStep.WAIT


def state_at(*, state: ExportState, expires_at: datetime, now: datetime) -> ExportState:
    """Return what an export is to its owner, who need not wait until a worker has noticed the time."""
    if now < expires_at:
        return state
    return {ExportState.READY: ExportState.EXPIRED, ExportState.COLLECTING: ExportState.FAILED}.get(
        state, state
    )


def objects_prefix(export_id: UUID) -> str:
    """Return what the keys of all of an export's objects begin with."""
    return f"{PREFIX}{export_id}/"


def parts_prefix(export_id: UUID) -> str:
    """Return what the keys of an export's parts begin with, before the name of the service."""
    return f"{objects_prefix(export_id)}parts/"


def archive_key(export_id: UUID) -> str:
    """Return the key of an export's archive."""
    return f"{objects_prefix(export_id)}archive.zip"


def export_of_key(key: str) -> UUID | None:
    """Return the export that an object belongs to; None for what is no export's object."""
    try:
        return UUID(key.removeprefix(PREFIX).partition("/")[0])
    except ValueError:
        return None
