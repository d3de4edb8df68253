"""What a username may be, and which one a new person gets."""

from __future__ import annotations

import re
import string
import unicodedata
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

MINIMUM_LENGTH = 3
MAXIMUM_LENGTH = 30
_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_FORM = re.compile(rf"[a-z0-9_.]{{{MINIMUM_LENGTH},{MAXIMUM_LENGTH}}}", re.ASCII)
_NOT_ALLOWED = re.compile(r"[^a-z0-9]+")
_SEPARATORS = re.compile(r"[_.]+")
_SEEN = re.compile(r"[a-z0-9]")
_LOOKALIKES = str.maketrans("0135i", "olesl")
_STEM_LENGTH = 20
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # Without 0, 1, i, l and o, which are misread.

# fmt: off
RESERVED = frozenset({
    "about", "abuse", "account", "accounts", "admin", "administrator", "api", "app", "apps", "auth",
    "billing", "blog", "bot", "contact", "deleted", "developer", "developers", "docs", "everyone",
    "explore", "facebook", "feed", "followers", "following", "help", "here", "home", "igloo",
    "igloo_team", "info", "legal", "login", "logout", "mail", "me", "media", "moderator", "moderators",
    "news", "notifications", "null", "official", "post", "posts", "postmaster", "press", "privacy",
    "root", "search", "security", "settings", "signup", "staff", "status", "support", "system", "tags",
    "team", "terms", "undefined", "unknown", "user", "username", "users", "verified", "webmaster", "www",
})
# fmt: on
_RESERVED_LOOKS = frozenset(_SEPARATORS.sub("", word).translate(_LOOKALIKES) for word in RESERVED)


def normalised(username: str) -> str:
    """Write a username as it is stored and looked up: two that differ in case alone are the same.

    Of ASCII letters alone: Unicode has others with a small form among a to z, such as the sign of the kelvin.
    """
    return username.strip(" ").translate(_SMALL)


def problem_with(username: str) -> tuple[str, str] | None:
    """Say why a normalised username cannot be chosen, as a code and a sentence; None when it can."""
    if not _FORM.fullmatch(username):
        return (
            "username_malformed",
            f"A username has {MINIMUM_LENGTH} to {MAXIMUM_LENGTH} characters of a to z, digits, _ and .",
        )
    if username.startswith(".") or username.endswith(".") or ".." in username:
        return "username_malformed", "A username neither starts nor ends with a dot, nor has two in a row."
    if not _SEEN.search(username):
        return "username_malformed", "A username has a letter or a digit."
    if is_reserved(username):
        return "username_reserved", "This username is reserved."
    return None


def is_reserved(username: str) -> bool:
    """Say whether a username reads as igloo's own: a reserved word, or nothing but such words.

    Whatever `_` and `.` stand in it, and with digits in the place of the letters that they look like.
    """
    words = [_looks(word) for word in _SEPARATORS.split(username) if word]
    return "".join(words) in _RESERVED_LOOKS or all(word in _RESERVED_LOOKS for word in words)


def _looks(word: str) -> str:
    return _SEPARATORS.sub("", word).translate(_LOOKALIKES)


def placeholder(user_id: UUID) -> str:
    """Name a person of whom only the account's id is known; the same for the same id."""
    return f"user_{_suffix(user_id, attempt=0, length=12)}"


def candidates(display_name: str, user_id: UUID) -> Iterator[str]:
    """Propose usernames made of a display name and a short suffix, without end."""
    folded = unicodedata.normalize("NFKD", display_name).encode("ascii", "ignore").decode("ascii").lower()
    stem = _NOT_ALLOWED.sub("_", folded).strip("_")[:_STEM_LENGTH].strip("_") or "user"
    attempt = 0
    while True:
        attempt += 1
        proposal = f"{stem}_{_suffix(user_id, attempt=attempt, length=min(3 + attempt, 9))}"
        if not is_reserved(proposal):
            yield proposal


def _suffix(user_id: UUID, *, attempt: int, length: int) -> str:
    digest = blake2b(user_id.bytes, digest_size=length, salt=attempt.to_bytes(2, "big")).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest)
