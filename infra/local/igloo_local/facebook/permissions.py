"""What a person lets the app see, as Graph writes it: names separated by commas."""

from collections.abc import Iterable

PUBLIC_PROFILE = "public_profile"
USER_FRIENDS = "user_friends"
ALL_PERMISSIONS = frozenset({"email", PUBLIC_PROFILE, USER_FRIENDS})


def parse_permissions(text: str) -> frozenset[str]:
    """Read a list of names; the public profile cannot be left out."""
    return frozenset(name.strip() for name in text.split(",") if name.strip()) | {PUBLIC_PROFILE}


def granted(asked: Iterable[str], *, allowed: Iterable[str]) -> frozenset[str]:
    """Return what a person grants of what an app asks for."""
    return (frozenset(asked) & frozenset(allowed)) | {PUBLIC_PROFILE}


def write_permissions(names: Iterable[str]) -> str:
    """Return the names in a lasting order."""
    return ",".join(sorted(names))
