"""Object storage: one S3 bucket, as far as every service uses it."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final, Self

from igloo_common.settings import Environment
from igloo_common.storage_errors import (
    REFUSING,
    SILENT,
    ObjectMissing,
    StorageUnavailable,
    translated,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# All attempts together end before the gateway loses patience (15 s): the client gets our answer, not its.
CONNECT_SECONDS: Final = 2
READ_SECONDS: Final = 5
ATTEMPTS: Final = 2
CHUNK_BYTES: Final = 256 * 1024
REMOVED_AT_ONCE: Final = 1000

__all__ = [
    "ATTEMPTS",
    "CONNECT_SECONDS",
    "READ_SECONDS",
    "REFUSING",
    "SILENT",
    "ObjectMissing",
    "ObjectStore",
    "ObjectsKept",
    "StorageSettings",
    "StorageUnavailable",
    "StoredObject",
    "s3_client",
    "translated",
]

_making: Final = Lock()


class ObjectsKept(StorageUnavailable):
    """S3 has not removed some of the objects that it was asked to remove; the others are gone."""

    code = StorageUnavailable.code

    def __init__(self, keys: Sequence[str], reason: str) -> None:
        super().__init__(f"{len(keys)} objects were not removed: {reason}.")
        self.keys = keys


@dataclass(frozen=True, kw_only=True)
class StorageSettings:
    """Which bucket, and how it is reached from here and from a phone."""

    endpoint: str | None
    """None is AWS itself."""
    public_endpoint: str | None
    bucket: str
    region: str
    access_key_id: str | None = field(repr=False)
    """None is the role of the task."""
    secret_access_key: str | None = field(repr=False)
    connect_seconds: float = CONNECT_SECONDS
    read_seconds: float = READ_SECONDS
    """How long the server may say nothing."""
    attempts: int = ATTEMPTS
    """Of one call, the first included; between them it waits a moment, exponentially longer and spread."""

    @classmethod
    def read(cls, env: Environment) -> Self:
        """Read `IGLOO_S3_*`."""
        endpoint = _optional_url(env, "IGLOO_S3_ENDPOINT")
        key_id = env.optional_text("IGLOO_S3_ACCESS_KEY_ID")
        secret = env.optional_text("IGLOO_S3_SECRET_ACCESS_KEY")
        if (key_id is None) != (secret is None):
            env.problem("IGLOO_S3_ACCESS_KEY_ID", "and IGLOO_S3_SECRET_ACCESS_KEY must be set together")
        return cls(
            endpoint=endpoint,
            public_endpoint=_optional_url(env, "IGLOO_S3_PUBLIC_ENDPOINT") or endpoint,
            bucket=env.text("IGLOO_S3_BUCKET"),
            region=env.text("IGLOO_S3_REGION", default="us-east-1"),
            access_key_id=key_id,
            secret_access_key=secret,
        )


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """One line of a listing."""

    key: str
    size_bytes: int


class ObjectStore:
    """One bucket; safe to share between threads, and free until it is first used.

    Every method raises StorageUnavailable when S3 does not answer.
    """

    def __init__(self, settings: StorageSettings, *, connections: int = 10) -> None:
        self._settings = settings
        self._connections = connections
        self.bucket = settings.bucket

    @cached_property
    def inside(self) -> S3Client:
        """The client for calls from here."""
        return s3_client(self._settings, self._settings.endpoint, self._connections)

    @cached_property
    def outside(self) -> S3Client:
        """The client that signs addresses for phones: offline, so that it need not reach them itself."""
        return s3_client(self._settings, self._settings.public_endpoint, self._connections)

    def put(self, key: str, content: bytes, *, content_type: str) -> None:
        """Write an object whole, over whatever was there."""
        with translated():
            self.inside.put_object(Bucket=self.bucket, Key=key, Body=content, ContentType=content_type)

    def put_file(self, key: str, path: Path, *, content_type: str) -> None:
        """Write a file of any size as an object, in parts and never whole in memory."""
        with translated():
            self.inside.upload_file(str(path), self.bucket, key, ExtraArgs={"ContentType": content_type})

    def copy(self, source: str, target: str) -> None:
        """Copy an object inside the bucket; its bytes do not come here.

        Raises:
            ObjectMissing: there is no such object.
        """
        with translated():
            self.inside.copy_object(
                Bucket=self.bucket, Key=target, CopySource={"Bucket": self.bucket, "Key": source}
            )

    def listing(self, prefix: str) -> Iterator[StoredObject]:
        """List what lies below a prefix, in the order of the keys."""
        with translated():
            for page in self.inside.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=prefix
            ):
                for entry in page.get("Contents", ()):
                    yield StoredObject(key=entry["Key"], size_bytes=entry["Size"])

    def chunks(self, key: str) -> Generator[bytes]:
        """Read an object piece by piece.

        Raises:
            ObjectMissing: there is no such object.
        """
        # A reader may stop halfway: the connection is then given up at once, not when memory is cleaned up.
        with translated(), closing(self.inside.get_object(Bucket=self.bucket, Key=key)["Body"]) as body:
            yield from body.iter_chunks(CHUNK_BYTES)

    def remove(self, keys: Sequence[str]) -> None:
        """Remove objects; one that is not there counts as removed.

        Raises:
            ObjectsKept: some are still there; all of them have been tried.
        """
        kept: dict[str, str] = {}
        for start in range(0, len(keys), REMOVED_AT_ONCE):
            batch = keys[start : start + REMOVED_AT_ONCE]
            with translated():
                answer = self.inside.delete_objects(
                    Bucket=self.bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True}
                )
            kept |= {error["Key"]: error.get("Code", "") for error in answer.get("Errors", ())}
        if kept:
            raise ObjectsKept(list(kept), next(iter(kept.values())))

    def remove_below(self, prefix: str) -> int:
        """Remove everything below a prefix; return how many objects that were, once a listing shows none."""
        removed = 0
        while found := [each.key for each in islice(self.listing(prefix), REMOVED_AT_ONCE)]:
            self.remove(found)
            removed += len(found)
        return removed

    def download_address(self, key: str, *, filename: str, seconds: int) -> str:
        """Sign an address that a phone or browser can download an object from for some time; asks nobody."""
        return self.outside.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.bucket,
                "Key": key,
                "ResponseContentDisposition": f'attachment; filename="{filename}"',
                "ResponseCacheControl": "private, no-store",
            },
            ExpiresIn=seconds,
        )


def s3_client(settings: StorageSettings, endpoint: str | None, connections: int) -> S3Client:
    """Make a client; boto3 is imported only now, as processes that store nothing should not carry it."""
    import boto3  # noqa: PLC0415 - see the docstring
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        signature_version="s3v4",
        connect_timeout=settings.connect_seconds,
        read_timeout=settings.read_seconds,
        retries={"mode": "standard", "total_max_attempts": settings.attempts},
        max_pool_connections=connections,
        # AWS alone has a host name for each bucket.
        s3={"addressing_style": "path" if endpoint else "virtual"},
        # Other S3 servers do not know the trailing checksums that newer SDKs add unasked.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    # A client may be shared between threads; boto3's own session, which makes it, may not.
    with _making:
        return boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name=settings.region,
            aws_access_key_id=settings.access_key_id,
            aws_secret_access_key=settings.secret_access_key,
            config=config,
        )


def _optional_url(env: Environment, name: str) -> str | None:
    if env.optional_text(name) is None:
        return None
    return env.url(name, schemes=("http", "https"))
