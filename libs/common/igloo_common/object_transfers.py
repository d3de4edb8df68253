"""Asking for and moving one object in bounded time, however slowly S3 drips."""

from __future__ import annotations

import errno
import os
import random
import stat
from collections.abc import Generator
from contextlib import closing
from http import HTTPStatus
from io import FileIO
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal

from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as SilenceError

from igloo_common.object_store import StorageSettings
from igloo_common.outages import Outage
from igloo_common.storage_errors import ObjectMissing, Trouble, trouble_of, unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ADDRESS_SECONDS: Final = 60
_CHUNK_BYTES: Final = 256 * 1024
_ERROR_BYTES: Final = 4096
_LONGEST_OUTAGE_SECONDS: Final = 5.0
# A link, nothing at all, a socket: what open(2) says of them when it is told to follow nothing.
_NO_FILE: Final = frozenset({errno.ELOOP, errno.ENOENT, errno.ENXIO})


class FileReplaced(Exception):
    """Where the file to send was, there is none any more, or something that leads elsewhere."""


class ObjectReads:
    """Looks at objects and reads them; safe to share between threads.

    Signed by boto3 and sent without it: its own HEAD costs 1.4 ms of CPU, this one 0.7; and a body that drips
    can be given up. Once S3 has said nothing until a call's time was over, nobody here waits for it for some
    seconds: every thread would, and none would be left for what needs no S3.
    """

    def __init__(self, client: S3Client, settings: StorageSettings, *, connections: int) -> None:
        self._client = client
        self._bucket = settings.bucket
        self._outage = Outage(longest_seconds=_LONGEST_OUTAGE_SECONDS, forgiven=0)
        self._web = PoolManager(
            maxsize=connections,
            timeout=Timeout(connect=settings.connect_seconds, read=settings.read_seconds),
            retries=_SoonRetry(
                settings.attempts - 1,
                status_forcelist=(500, 502, 503, 504),
                raise_on_status=False,
                # A server's word for how long it wants to be left alone may be longer than a phone waits.
                respect_retry_after_header=False,
            ),
        )

    def size_of(self, key: str) -> int | None:
        """Return an object's size in bytes, or none when there is no such object.

        Raises:
            StorageUnavailable: S3 does not answer.
        """
        answer = self._ask("HEAD", key)
        answer.release_conn()
        if answer.status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND):
            raise unavailable(trouble_of(answer.status))
        return int(answer.headers["Content-Length"]) if answer.status == HTTPStatus.OK else None

    def chunks(self, key: str, *, seconds: float) -> Generator[bytes]:
        """Read an object piece by piece, all of it within so many seconds.

        Raises:
            ObjectMissing: there is no such object.
            StorageUnavailable: S3 does not answer, or not fast enough, or stops in the middle.
        """
        until = monotonic() + seconds
        # A reader may stop halfway: the connection is then given up at once, not when memory is cleaned up.
        with closing(self._ask("GET", key)) as answer:
            if answer.status != HTTPStatus.OK:
                raise _refusal(answer)
            while chunk := _next_chunk(answer):
                if monotonic() > until:
                    raise unavailable(Trouble.SILENT)
                yield chunk

    def _ask(self, method: Literal["GET", "HEAD"], key: str) -> BaseHTTPResponse:
        if self._outage.is_on:
            raise unavailable(Trouble.SILENT)
        address = self._client.generate_presigned_url(
            "get_object" if method == "GET" else "head_object",
            Params={"Bucket": self._bucket, "Key": key},
            ExpiresIn=_ADDRESS_SECONDS,
        )
        try:
            answer = self._web.request(method, address, preload_content=False)
        except HTTPError as error:
            # A refusal that comes at once keeps no thread from anything.
            if isinstance(getattr(error, "reason", error), SilenceError):
                self._outage.note_failure()
            raise unavailable(Trouble.SILENT) from error
        self._outage.note_success()
        return answer


class TimedFile(FileIO):
    """A file to send that refuses to be read once its time is over, which ends the sending of it.

    Raises:
        FileReplaced: the path ends in a link, or in anything else but a file.
    """

    def __init__(self, path: Path, *, seconds: float) -> None:
        super().__init__(path, "rb", opener=_opened_itself)
        self._until = monotonic() + seconds

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on.

        Raises:
            TimeoutError: the time is over.
        """
        if monotonic() > self._until:
            raise TimeoutError(f"{self.name} was not sent in time")
        return super().read(-1 if size is None else size)


class _SoonRetry(Retry):
    """Waits a moment before the second attempt already, and not the same one as everybody else."""

    def get_backoff_time(self) -> float:
        """Return the seconds to wait."""
        longest: float = 0.1 * 2.0 ** len(self.history)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret


def _opened_itself(path: str, flags: int) -> int:
    """Open what lies at a path itself: whoever wrote it may have put a link there since it was looked at."""
    try:
        # Without O_NONBLOCK to open a named pipe would wait for somebody to write into it.
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise FileReplaced(f"{path} is not the file any more.") from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileReplaced(f"{path} is no file.")
    return descriptor


def _next_chunk(answer: BaseHTTPResponse) -> bytes:
    try:
        # What is there now: to wait until a whole chunk has come would leave no chance to stop waiting.
        return answer.read1(_CHUNK_BYTES, decode_content=False)
    except (HTTPError, OSError) as error:
        raise unavailable(Trouble.SILENT) from error


def _refusal(answer: BaseHTTPResponse) -> Exception:
    try:
        words = answer.read(_ERROR_BYTES)
    except (HTTPError, OSError):
        words = b""
    # Without its bucket S3 knows nothing of any object: that one is lost has to be said of this object alone.
    if answer.status == HTTPStatus.NOT_FOUND and b"NoSuchBucket" not in words:
        return ObjectMissing()
    return unavailable(trouble_of(answer.status))
