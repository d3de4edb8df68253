"""The categories of refusal that a caller can be told about; every domain exception subclasses one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """What is wrong with one part of the input.

    `pointer` is a JSON pointer (RFC 6901) into the body; for other locations, `/` and the parameter's name.
    """

    pointer: str
    code: str
    detail: str
    location: str = field(default="body")


class IglooError(Exception):
    """A refusal with a stable code; the HTTP status follows from the category it subclasses."""

    code: ClassVar[str] = "igloo_error"
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = {}
    extra: Mapping[str, object] = {}

    def __init_subclass__(cls) -> None:
        """Name the code after the class, unless the class names it itself."""
        super().__init_subclass__()
        if "code" not in cls.__dict__:
            cls.code = _WORD_START.sub("_", cls.__name__).lower()

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.errors = errors
        self.headers = headers or {}
        self.extra = extra or {}

    @property
    def detail(self) -> str:
        """Say to a person what happened here; an empty text leaves the member out."""
        return str(self)


class Malformed(IglooError):
    """The request cannot be understood (400)."""


class Unauthenticated(IglooError):
    """Who calls is not known (401).

    `bearer_error` is the error code of RFC 6750 section 3.1; none is sent when no credentials came.
    """

    bearer_error: ClassVar[str | None] = "invalid_token"


class Forbidden(IglooError):
    """The caller is known and may not (403)."""


class NotFound(IglooError):
    """There is no such thing, or none that this caller may know of (404)."""


class Conflict(IglooError):
    """The present state does not allow it (409)."""


class Gone(IglooError):
    """It was here, and is not any more (410)."""


class PreconditionFailed(IglooError):
    """It changed since the caller read it (412)."""


class TooLarge(IglooError):
    """More than is taken in one request (413)."""


class Invalid(IglooError):
    """Understood, and not acceptable (422)."""


class RateLimited(IglooError):
    """Too often (429); `retry_after_seconds` is sent as Retry-After."""

    retry_after_seconds: int = 1


class Unavailable(IglooError):
    """Cannot be done now, may work soon (503); `retry_after_seconds` is sent as Retry-After."""

    retry_after_seconds: int = 5


class BadGateway(IglooError):
    """Somebody else's service answered what we cannot use (502); `retry_after_seconds` is sent as well."""

    retry_after_seconds: int = 30
