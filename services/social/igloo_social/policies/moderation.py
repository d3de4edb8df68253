"""Which decision fits which report, and how a suspension is put to the person whom it meets."""

from __future__ import annotations

from typing import Final

from igloo_social.models.reports import ReportReason, ReportTarget, Resolution

_ABOUT: Final = {
    Resolution.HIDE_POST: frozenset({ReportTarget.POST}),
    Resolution.HIDE_COMMENT: frozenset({ReportTarget.COMMENT}),
}
"""What a decision can be about; all others are about anything, for everything has an owner."""

_IN_WORDS: Final = {
    ReportReason.SPAM: "spam",
    ReportReason.HARASSMENT: "harassment",
    ReportReason.HATE: "hate",
    ReportReason.NUDITY: "nudity",
    ReportReason.VIOLENCE: "violence",
    ReportReason.SELF_HARM: "self-harm",
    ReportReason.ILLEGAL: "something illegal",
    ReportReason.IMPERSONATION: "impersonation",
    ReportReason.INTELLECTUAL_PROPERTY: "the use of others' work",
}


def fits(resolution: Resolution, target: ReportTarget) -> bool:
    """Tell whether a report of this kind of thing may be resolved so."""
    return target in _ABOUT.get(resolution, frozenset(ReportTarget))


def suspension_reason(reason: ReportReason) -> str:
    """Say to a suspended person why, on one line, without a word of who reported what."""
    word = _IN_WORDS.get(reason)
    about = f" about {word}" if word else ""
    return f"Moderators found that this account broke the rules{about}."
