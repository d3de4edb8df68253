"""Which media a post may show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from igloo_social.models.images import MediaState

if TYPE_CHECKING:
    from uuid import UUID


class MediumFacts(Protocol):
    """What is known of a medium."""

    owner_id: UUID
    post_id: UUID | None
    state: str
    failure_code: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a medium cannot be shown, as a code for programs and a sentence for people."""

    code: str
    detail: str


NOT_OWNED = Refusal("media_not_owned", "The medium is not the author's own.")
FAILED = Refusal("media_failed", "The medium could not be made ready to show.")
DELETED = Refusal("media_deleted", "The medium was deleted before the post came out.")
ALREADY_ATTACHED = Refusal("media_already_attached", "Another post shows the medium already.")


def refusal_of(medium: MediumFacts, *, author_id: UUID, post_id: UUID) -> Refusal | None:
    """Say why a post by this author may not show a medium; None when it may."""
    if medium.owner_id != author_id:
        return NOT_OWNED
    if medium.state == MediaState.FAILED:
        return DELETED if medium.failure_code == DELETED.code else FAILED
    if medium.post_id not in {None, post_id}:
        return ALREADY_ATTACHED
    return None
