"""Hashtags over HTTP."""

from __future__ import annotations

from igloo_common.errors import FieldError, Invalid
from igloo_social.policies.captions import MAX_TAG_LENGTH, folded_tag


class TagMalformed(Invalid):
    """What was asked for cannot be a hashtag; `errors` points at it."""

    def __init__(self) -> None:
        detail = (
            f"A hashtag has letters, marks, digits and underscores, one letter at least, and no more than"
            f" {MAX_TAG_LENGTH} characters."
        )
        error = FieldError(pointer="/tag", code="tag_malformed", detail=detail, location="path")
        super().__init__(detail, errors=[error])


def read_tag(word: str) -> str:
    """Read the hashtag that an address names, with or without its sign and in any writing.

    Raises:
        TagMalformed: It cannot be one.
    """
    tag = folded_tag(word)
    if tag is None:
        raise TagMalformed
    return tag
