"""The bucket: presigned targets for clients, and objects for the worker."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from igloo_common.errors import Unavailable
from igloo_common.object_store import StorageSettings
from igloo_media.policies.objects import ORIGINALS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# All attempts together end before the gateway loses patience (15 s): the client gets our answer, not its.
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 2, 5, 2
CHUNK_BYTES = 256 * 1024
READ_ADDRESS_SECONDS, READ_ADDRESS_SPAN_SECONDS = 7200, 3600
IMMUTABLE = "public, max-age=31536000, immutable"
HEAD_ADDRESS_SECONDS = 60
DAYS_KEPT = 7
REFUSING = "The photo store refuses to work at the moment."
SILENT = "The photo store does not answer at the moment."


class StorageUnavailable(Unavailable):
    """S3 does not answer, or answers that it cannot now."""


class ObjectMissing(Exception):
    """There is no object of this key."""


class ObjectTooLarge(Exception):
    """The object has more bytes than it may."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where and with which form fields a client POSTs its file, as S3's policy wants it."""

    method: str
    url: str
    fields: dict[str, str]


class Storage:
    """One bucket, reached through one client of each address; safe to share between threads."""

    def __init__(self, settings: StorageSettings, *, connections: int = 10) -> None:
        self.bucket = settings.bucket
        self._inside = _client(settings, settings.endpoint, connections)
        # Signing happens offline, so the address that phones use need not be reachable from here.
        self._outside = _client(settings, settings.public_endpoint, connections)
        self._web = PoolManager(
            maxsize=connections,
            timeout=Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            retries=Retry(ATTEMPTS - 1, status_forcelist=(500, 502, 503, 504), raise_on_status=False),
        )
        self._read_address = lru_cache(maxsize=10_000)(self._signed_read_address)

    def upload_target(self, key: str, *, content_type: str, size_bytes: int, lifetime: timedelta) -> Target:
        """Sign a POST policy that takes this key, type and size alone, for a time; asks nobody."""
        post = self._outside.generate_presigned_post(
            self.bucket,
            key,
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", size_bytes, size_bytes]],
            ExpiresIn=int(lifetime.total_seconds()),
        )
        return Target(method="POST", url=post["url"], fields=post["fields"])

    def read_address(self, key: str, *, now: datetime) -> str:
        """Return path and query of a presigned GET on the inside address; asks nobody.

        Valid for an hour at least, and the same text for an hour.
        """
        return self._read_address(key, int(now.timestamp()) // READ_ADDRESS_SPAN_SECONDS)

    def size_of(self, key: str) -> int | None:
        """Return an object's size in bytes, or none when there is no such object.

        Raises:
            StorageUnavailable: S3 does not answer.
        """
        # Signed by boto3 and sent without it: its own HEAD costs 1.4 ms of CPU, this one 0.7.
        address = self._inside.generate_presigned_url(
            "head_object", Params={"Bucket": self.bucket, "Key": key}, ExpiresIn=HEAD_ADDRESS_SECONDS
        )
        try:
            answer = self._web.request("HEAD", address)
        except HTTPError as error:
            raise StorageUnavailable(SILENT) from error
        if answer.status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND):
            raise StorageUnavailable(REFUSING)
        return int(answer.headers["Content-Length"]) if answer.status == HTTPStatus.OK else None

    def download(self, key: str, path: Path, *, max_bytes: int) -> bytes:
        """Write an object into a file, never whole in memory, and return its SHA-256.

        Raises:
            ObjectMissing: there is no such object.
            ObjectTooLarge: it has more than `max_bytes`.
            StorageUnavailable: S3 does not answer.
        """
        digest, received = hashlib.sha256(), 0
        with _translated(), path.open("wb") as file:
            body = self._inside.get_object(Bucket=self.bucket, Key=key)["Body"]
            for chunk in body.iter_chunks(CHUNK_BYTES):
                received += len(chunk)
                if received > max_bytes:
                    raise ObjectTooLarge(f"{key} has more than {max_bytes} bytes.")
                digest.update(chunk)
                file.write(chunk)
        return digest.digest()

    def upload(self, key: str, path: Path, *, content_type: str) -> None:
        """Write a file as an object that never changes.

        Raises:
            StorageUnavailable: S3 does not answer.
        """
        with _translated(), path.open("rb") as file:
            self._inside.put_object(
                Bucket=self.bucket, Key=key, Body=file, ContentType=content_type, CacheControl=IMMUTABLE
            )

    def remove(self, keys: Sequence[str]) -> None:
        """Remove up to 1,000 objects; one that is not there counts as removed.

        Raises:
            StorageUnavailable: S3 does not answer, or kept one of them.
        """
        with _translated():
            answer = self._inside.delete_objects(
                Bucket=self.bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
        if kept := answer.get("Errors"):
            raise StorageUnavailable(f"{len(kept)} objects were not removed: {kept[0].get('Code')}.")

    def prepare(self) -> None:
        """Make the bucket unless it is there, and have it take browsers' POSTs and drop old originals.

        For local stacks; in AWS the stack's template says the same.
        """
        with _translated():
            buckets = [bucket["Name"] for bucket in self._inside.list_buckets()["Buckets"]]
            if self.bucket not in buckets:
                self._inside.create_bucket(Bucket=self.bucket)
            self._inside.put_bucket_cors(
                Bucket=self.bucket,
                CORSConfiguration={
                    "CORSRules": [
                        {"AllowedMethods": ["POST"], "AllowedOrigins": ["*"], "AllowedHeaders": ["*"]}
                    ]
                },
            )
            self._inside.put_bucket_lifecycle_configuration(
                Bucket=self.bucket,
                LifecycleConfiguration={
                    "Rules": [
                        {
                            "ID": "drop-originals",
                            "Status": "Enabled",
                            "Filter": {"Prefix": ORIGINALS},
                            "Expiration": {"Days": DAYS_KEPT},
                        }
                    ]
                },
            )

    def _signed_read_address(self, key: str, _span: int) -> str:
        address = self._inside.generate_presigned_url(
            "get_object", Params={"Bucket": self.bucket, "Key": key}, ExpiresIn=READ_ADDRESS_SECONDS
        )
        parts = urlsplit(address)
        return f"{parts.path}?{parts.query}"


def _client(settings: StorageSettings, endpoint: str | None, connections: int) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=settings.region,
        aws_access_key_id=settings.access_key_id,
        aws_secret_access_key=settings.secret_access_key,
        config=Config(
            signature_version="s3v4",
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=connections,
            # AWS alone has a host name for each bucket.
            s3={"addressing_style": "path" if endpoint else "virtual"},
            # Other S3 servers do not know the trailing checksums that newer SDKs add unasked.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}:
            raise ObjectMissing from error
        raise StorageUnavailable(REFUSING) from error
    except BotoCoreError as error:
        raise StorageUnavailable(SILENT) from error
