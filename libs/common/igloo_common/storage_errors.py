"""What an object store answers when it does not do what it was asked, in words of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from prometheus_client import Counter

from igloo_common.errors import Unavailable

REFUSING: Final = "The object store refuses to work at the moment."
SILENT: Final = "The object store does not answer at the moment."

ERRORS: Final = Counter(
    "igloo_s3_errors_total",
    "Calls of S3 that came to nothing after their retries, by what was wrong.",
    ["kind"],
)
_THROTTLING_CODES: Final = frozenset(
    {"SlowDown", "SlowDownRead", "SlowDownWrite", "Throttling", "RequestLimitExceeded", "TooManyRequests"}
)
# Amazon's S3 is never full; these are the words of other servers.
_FULL_CODES: Final = frozenset(
    {"QuotaExceeded", "InsufficientStorage", "EntityTooLarge", "XMinioStorageFull", "StorageFull"}
)
_MISSING_CODES: Final = frozenset({"404", "NoSuchKey", "NotFound"})


class Trouble(StrEnum):
    """What is wrong with S3; the label `kind` of the counter."""

    SILENT = "silent"
    REFUSING = "refusing"
    SLOW_DOWN = "slow_down"
    FULL = "full"
    DENIED = "denied"


# A server that asks for patience gets it, and a full one is not emptied within seconds.
_RETRY_AFTER_SECONDS: Final = {Trouble.SLOW_DOWN: 15, Trouble.FULL: 60, Trouble.DENIED: 60}


class StorageUnavailable(Unavailable):
    """S3 does not answer, or answers that it cannot now."""

    def __init__(self, detail: str = "", *, trouble: Trouble = Trouble.REFUSING) -> None:
        super().__init__(detail)
        self.trouble = trouble
        self.retry_after_seconds = _RETRY_AFTER_SECONDS.get(trouble, Unavailable.retry_after_seconds)


class ObjectMissing(Exception):
    """There is no object of this key."""


def unavailable(trouble: Trouble) -> StorageUnavailable:
    """Count a call that came to nothing, and return what to raise for it."""
    ERRORS.labels(trouble.value).inc()
    return StorageUnavailable(SILENT if trouble == Trouble.SILENT else REFUSING, trouble=trouble)


def trouble_of(status: int, code: str = "") -> Trouble:
    """Tell what is wrong from the status of an answer, and from S3's code where there is one."""
    if code in _FULL_CODES or status == HTTPStatus.INSUFFICIENT_STORAGE:
        return Trouble.FULL
    if code in _THROTTLING_CODES or status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return Trouble.SLOW_DOWN
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Trouble.DENIED
    return Trouble.REFUSING


@contextmanager
def translated() -> Iterator[None]:
    """Turn boto3's errors into ours."""
    from boto3.exceptions import S3UploadFailedError  # noqa: PLC0415 - as in object_store.s3_client
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        if code in _MISSING_CODES:
            raise ObjectMissing from error
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        raise unavailable(trouble_of(status, code)) from error
    # The last is a file that may not be sent any more (object_transfers), where boto3 does not wrap it.
    except (BotoCoreError, S3UploadFailedError, TimeoutError) as error:
        raise unavailable(Trouble.SILENT) from error
