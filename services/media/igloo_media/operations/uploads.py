"""Asking for upload targets, and what becomes of an upload: promoted when its file came, or expired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from igloo_common.errors import Conflict, Gone
from igloo_common.ids import new_id
from igloo_common.rate_limits import Allowance
from igloo_common.statements import Statement
from igloo_media.events import FocalPoint
from igloo_media.models import MediaItem, MediaState
from igloo_media.models.items import CLIENT_ID_IN_USE
from igloo_media.operations.account_tasks import AccountDeleted, ask_whether_deleted
from igloo_media.operations.items import announce_failure, close_item
from igloo_media.operations.takedowns import ask_for_refusal
from igloo_media.operations.usage import ask_admission
from igloo_media.operations.wakes import PHOTOS_CHANNEL, wake_lane
from igloo_media.policies.items import EXPIRED_CODE, EXPIRED_DETAIL
from igloo_media.policies.processing import TURN
from igloo_media.policies.uploads import FORGOTTEN_AFTER, TARGET_LIFETIME
from igloo_media.queries.uploads import Upload, find_upload
from igloo_media.settings import PersonLimits


class ClientIdReused(Conflict):
    """A client_id was sent again for a file that differs from the first."""


class UploadExpired(Gone):
    """The file did not arrive in time: ask for a new target."""


@dataclass(frozen=True, kw_only=True)
class RequestedFile:
    """A file that a client wants to upload."""

    content_type: str
    size_bytes: int
    client_id: str | None = None
    sha256: bytes | None = None
    alt_text: str | None = None
    focal_point: FocalPoint | None = None


@dataclass(frozen=True, kw_only=True)
class Requested:
    """The uploads in the order of the files, and how many more may be asked for."""

    uploads: list[Upload]
    allowance: Allowance


def request_uploads(
    session: Session, *, owner_id: UUID, files: Sequence[RequestedFile], limits: PersonLimits, now: datetime
) -> Requested:
    """Make one upload a file; a known client_id returns the upload it named, and counts for nothing.

    Raises:
        AccountDeleted: the owner's account is deleted.
        ClientIdReused: a client_id came again with another type, size or checksum.
        MediaRefused: a moderator took one of the files down.
        RateLimitExceeded, TooManyOpenUploads, QuotaExceeded: as `Admission.settle` says.
    """
    # Asked in the round trip of the insert, whose rows a refusal takes back with the transaction.
    deleted = ask_whether_deleted(session, owner_id)
    refusal = ask_for_refusal(session, [file.sha256 for file in files])
    admission = ask_admission(session, owner_id=owner_id, count=len(files), limits=limits, now=now)
    uploads = [_new_upload(owner_id, file, now) for file in files]
    # Whatever order a client lists its files in: two retries at once wait for one another in the same one.
    ordered = sorted(zip(uploads, files, strict=True), key=lambda pair: pair[1].client_id or "")
    made = _make(session, owner_id, ordered, now=now)
    if deleted.rows():
        raise AccountDeleted("The account is deleted.")
    refusal.settle()
    answers: dict[UUID, Upload] = {}
    while ordered:
        for upload, file in ordered:
            known = upload if upload.id in made else _known_upload(session, owner_id, file, now=now)
            if known is not None:
                answers[upload.id] = known
        # An upload that was given up between the two looks has freed its client_id: this one is new.
        ordered = [pair for pair in ordered if pair[0].id not in answers]
        made |= _make(session, owner_id, ordered, now=now)
    allowance = admission.settle(session, [answers[each].size_bytes for each in made])
    return Requested(uploads=[answers[upload.id] for upload in uploads], allowance=allowance)


def promote_upload(session: Session, upload_id: UUID, *, now: datetime) -> None:
    """Queue an arrived upload for processing and wake a worker; the caller holds its row lock."""
    _PROMOTE.run(session, {"id": upload_id, "now": now, "turn": TURN})
    wake_lane(session, PHOTOS_CHANNEL)


def expire_upload(session: Session, item: MediaItem, *, now: datetime) -> None:
    """Give up on an upload that never came, and tell whoever waits for it; the caller holds its row lock."""
    close_item(session, item, now=now, state=MediaState.EXPIRED)
    announce_failure(session, item, code=EXPIRED_CODE, detail=EXPIRED_DETAIL, now=now)


def _make(
    session: Session, owner_id: UUID, asked: Sequence[tuple[Upload, RequestedFile]], *, now: datetime
) -> set[UUID]:
    """Write those whose client_id is free, and return which these are."""
    if not asked:
        return set()
    return {upload_id for (upload_id,) in _MAKE.rows(session, _columns(owner_id, asked, now))}


def _new_upload(owner_id: UUID, file: RequestedFile, now: datetime) -> Upload:
    return Upload(
        id=new_id(),
        owner_id=owner_id,
        client_id=file.client_id,
        state=MediaState.PENDING,
        content_type=file.content_type,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        alt_text=file.alt_text,
        focal_x=file.focal_point.x if file.focal_point else None,
        focal_y=file.focal_point.y if file.focal_point else None,
        created_at=now,
        expires_at=now + TARGET_LIFETIME,
    )


def _columns(
    owner_id: UUID, asked: Sequence[tuple[Upload, RequestedFile]], now: datetime
) -> dict[str, object]:
    files = [file for _, file in asked]
    return {
        "owner_id": owner_id,
        "ids": [upload.id for upload, _ in asked],
        "client_ids": [file.client_id for file in files],
        "content_types": [file.content_type for file in files],
        "sizes": [file.size_bytes for file in files],
        "sha256s": [file.sha256 for file in files],
        "alt_texts": [file.alt_text for file in files],
        "focal_xs": [upload.focal_x for upload, _ in asked],
        "focal_ys": [upload.focal_y for upload, _ in asked],
        "now": now,
        "expires_at": now + TARGET_LIFETIME,
        "due_at": now + FORGOTTEN_AFTER,
    }


def _known_upload(session: Session, owner_id: UUID, file: RequestedFile, *, now: datetime) -> Upload | None:
    """Return the upload that a client_id names, if it still does; one still pending gets its full time again.

    Raises:
        ClientIdReused: it named another file.
    """
    item = session.scalars(
        select(MediaItem)
        .where(
            MediaItem.owner_id == owner_id,
            MediaItem.client_id == file.client_id,
            MediaItem.state.not_in((MediaState.EXPIRED, MediaState.DELETED)),
        )
        .with_for_update()
    ).one_or_none()
    if item is None:
        return None
    if (item.content_type, item.size_bytes, item.sha256) != (file.content_type, file.size_bytes, file.sha256):
        raise ClientIdReused(f"The client_id {file.client_id!r} names another file.")
    if item.state == MediaState.PENDING:
        item.expires_at = now + TARGET_LIFETIME
        session.flush()
    return find_upload(session, owner_id=owner_id, upload_id=item.id)


# The constraint decides which of two retries at once is the first: no look before the leap.
_MAKE = Statement(
    f"""
INSERT INTO media_items (id, owner_id, client_id, state, content_type, size_bytes, sha256, alt_text,
    focal_x, focal_y, created_at, expires_at, due_at)
SELECT id, %(owner_id)s, client_id, 'pending', content_type, size_bytes, sha256, alt_text, focal_x, focal_y,
    %(now)s, %(expires_at)s, %(due_at)s
FROM unnest(%(ids)s::uuid[], %(client_ids)s::text[], %(content_types)s::text[], %(sizes)s::integer[],
    %(sha256s)s::bytea[], %(alt_texts)s::text[], %(focal_xs)s::float8[],
    %(focal_ys)s::float8[])
    AS file (id, client_id, content_type, size_bytes, sha256, alt_text, focal_x, focal_y)
ON CONFLICT (owner_id, client_id) WHERE {CLIENT_ID_IN_USE} DO NOTHING
RETURNING id
"""  # noqa: S608 - words of our own
)
# Its turn comes after those of what the same person has waiting.
_PROMOTE = Statement("""
UPDATE media_items AS item SET state = 'uploaded', uploaded_at = %(now)s, due_at = %(now)s,
    turn_at = greatest(%(now)s, (
        SELECT max(before.turn_at) + %(turn)s FROM media_items AS before
        WHERE before.owner_id = item.owner_id AND before.state IN ('uploaded', 'processing')
    ))
WHERE id = %(id)s
""")
