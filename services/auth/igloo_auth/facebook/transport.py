"""HTTP to Facebook with every bound that a careful caller needs: time, size, and no redirects."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import requests
import urllib3
from requests.adapters import HTTPAdapter

from igloo_auth.facebook.failures import TemporaryFailure

MAXIMUM_ANSWER_BYTES: Final = 1024 * 1024
_CHUNK_BYTES: Final = 64 * 1024
_LEAST_SECONDS: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class Patience:
    """For how many seconds Facebook is waited for."""

    connect: float = 2.0
    read: float = 4.0
    budget: float = 8.0
    """No attempt begins after this much of one sign-in, and the last is cut short: Facebook must not keep
    our threads."""

    def timeouts(self, *, deadline: float) -> tuple[float, float]:
        """Return the seconds to connect and to read in an attempt that begins now."""
        left = max(deadline - time.monotonic(), _LEAST_SECONDS)
        return min(self.connect, left), min(self.read, left)


class AnswerTooLarge(requests.RequestException):
    """The answer is longer than anything that Facebook has to say."""


class AnswerTooSlow(requests.ReadTimeout):
    """The answer comes a little at a time, and not to an end."""


class AnswerBroken(requests.ConnectionError):
    """The connection ended before the answer did."""


class Redirected(requests.RequestException):
    """Facebook wants us elsewhere; tokens are not carried to wherever that is."""


def make_session(url: str, *, connections: int) -> requests.Session:
    """Return a session for one server, whose every answer is bounded."""
    session = requests.Session()
    bound_session(session, connections=connections)
    # What the environment says of proxies and certificates: requests would go through it at every call.
    found = session.merge_environment_settings(url, {}, None, None, None)
    session.proxies, session.verify, session.trust_env = found["proxies"], found["verify"], False
    return session


def bound_session(session: requests.Session, *, connections: int) -> None:
    """Make a session, or a subclass such as an OAuth client, bounded; each call still gives its `timeout`."""
    # An answer that is not compressed cannot grow when it is unpacked.
    session.headers["Accept-Encoding"] = "identity"
    for scheme in ("https://", "http://"):
        session.mount(scheme, BoundedAdapter(connections=connections))


class BoundedAdapter(HTTPAdapter):
    """Sends once: the adapter's own retries would know neither our budget nor Graph's error codes."""

    def __init__(self, *, connections: int) -> None:
        super().__init__(pool_maxsize=connections, max_retries=0)

    def send(  # noqa: PLR0917 - as the base class has them
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Return an answer that has been read to its end.

        `timeout` is (seconds to connect, seconds to read); their sum is for the whole of the answer, where
        requests alone would wait that long for each byte.
        """
        if not isinstance(timeout, tuple) or timeout[1] is None:
            raise TypeError("Give timeout=(connect, read): nothing may wait for Facebook without an end.")
        deadline = time.monotonic() + timeout[0] + timeout[1]
        response = super().send(
            request, stream=True, timeout=timeout, verify=verify, cert=cert, proxies=proxies
        )
        if response.is_redirect:
            response.close()
            raise Redirected
        response.raw = io.BytesIO(_read(response, deadline=deadline))
        return response


def _read(response: requests.Response, *, deadline: float) -> bytes:
    body = bytearray()
    try:
        while chunk := _next_chunk(response):
            body += chunk
            if len(body) > MAXIMUM_ANSWER_BYTES:
                raise AnswerTooLarge
            if time.monotonic() > deadline:
                raise AnswerTooSlow
    except requests.RequestException:
        # What is left unread must not be taken for the next answer.
        response.close()
        raise
    return bytes(body)


def _next_chunk(response: requests.Response) -> bytes:
    """Return what has arrived, and not more; empty at the end."""
    try:
        chunk: bytes = response.raw.read1(_CHUNK_BYTES, decode_content=False)
    except urllib3.exceptions.ReadTimeoutError:
        raise AnswerTooSlow from None
    except urllib3.exceptions.HTTPError:
        raise AnswerBroken from None
    return chunk


def as_temporary(error: requests.RequestException) -> TemporaryFailure:
    """Say what a failed attempt means, without the error's own text: it may hold an address with a token."""
    is_nonsense = isinstance(error, AnswerTooLarge | Redirected)
    return TemporaryFailure(type(error).__name__, is_nonsense=is_nonsense)
