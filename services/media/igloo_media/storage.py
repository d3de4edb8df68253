"""The bucket: presigned targets for clients, and objects for the worker."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from igloo_common.object_parts import PartsGone, PartsStore
from igloo_common.object_store import (
    StorageSettings,
    translated,
)
from igloo_common.object_transfers import ObjectReads, TimedFile
from igloo_media.policies.objects import DAYS_KEPT
from igloo_media.policies.uploads import Arrival, missing_parts

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CORSConfigurationTypeDef, LifecycleRuleUnionTypeDef

READ_ADDRESS_SECONDS, READ_ADDRESS_SPAN_SECONDS = 7200, 3600
IMMUTABLE = "public, max-age=31536000, immutable"
# All transfers of one photo and the wall time of its child fit into its lease together.
DOWNLOAD_SECONDS, UPLOAD_SECONDS = 45.0, 15.0
# Of one request: the files of a batch are looked for side by side.
LOOKUPS_AT_ONCE = 4
UPLOADS_OF_BROWSERS: Final[CORSConfigurationTypeDef] = {
    "CORSRules": [
        {
            "AllowedMethods": ["POST", "PUT"],
            "AllowedOrigins": ["*"],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": ["ETag"],
        }
    ]
}
# What nobody has aborted, because a process died between two steps, costs money unseen.
UNFINISHED_PARTS_GO: Final[LifecycleRuleUnionTypeDef] = {
    "ID": "abort-unfinished-parts",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
}


class ObjectTooLarge(Exception):
    """The object has more bytes than it may."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where and with which form fields a client POSTs its file, as S3's policy wants it."""

    method: str
    url: str
    fields: dict[str, str]


class Storage(PartsStore):
    """The bucket of photos; every method that asks S3 raises StorageUnavailable when it does not answer."""

    def __init__(self, settings: StorageSettings, *, connections: int = 10) -> None:
        super().__init__(settings, connections=connections)
        # Both clients are made now: no phone's request shall wait the fifth of a second that it takes.
        self._clients = (self.inside, self.outside)
        self._reads = ObjectReads(self.inside, settings, connections=connections * LOOKUPS_AT_ONCE)
        self._read_address = lru_cache(maxsize=10_000)(self._signed_read_address)

    def upload_target(
        self,
        key: str,
        *,
        content_type: str,
        size_bytes: int,
        sha256: bytes | None = None,
        lifetime: timedelta,
    ) -> Target:
        """Sign a POST policy that takes this key, type, size and content alone, for a time; asks nobody."""
        pinned = {"Content-Type": content_type}
        if sha256 is not None:
            pinned["x-amz-checksum-algorithm"] = "SHA256"
            pinned["x-amz-checksum-sha256"] = b64encode(sha256).decode()
        post = self.outside.generate_presigned_post(
            self.bucket,
            key,
            Fields=dict(pinned),
            Conditions=[
                *({name: value} for name, value in pinned.items()),
                ["content-length-range", size_bytes, size_bytes],
            ],
            ExpiresIn=int(lifetime.total_seconds()),
        )
        return Target(method="POST", url=post["url"], fields=post["fields"])

    def read_address(self, key: str, *, now: datetime) -> str:
        """Return path and query of a presigned GET on the inside address; asks nobody.

        Valid for an hour at least, and the same text for an hour.
        """
        return self._read_address(key, int(now.timestamp()) // READ_ADDRESS_SPAN_SECONDS)

    def size_of(self, key: str) -> int | None:
        """Return an object's size in bytes, or none when there is no such object."""
        return self._reads.size_of(key)

    def arrival_of(self, key: str, *, size_bytes: int, multipart_id: str | None) -> Arrival:
        """Tell what there is of a file; one whose parts have all arrived is put together first.

        Done twice at once, or again after a lost answer, it ends the same.
        """
        stored_bytes = self.size_of(key)
        if stored_bytes == size_bytes or multipart_id is None:
            return Arrival(stored_bytes=stored_bytes)
        missing = self._join_if_whole(key, size_bytes, multipart_id)
        stored_bytes = None if missing else self.size_of(key)
        return Arrival(stored_bytes=stored_bytes, missing_parts=missing)

    def _join_if_whole(self, key: str, size_bytes: int, multipart_id: str) -> tuple[int, ...]:
        """Join the parts, or return which are missing; what S3 has forgotten may lie there joined already."""
        try:
            arrived = self.arrived_parts(key, multipart_id)
            missing = missing_parts(size_bytes, {number: part.size_bytes for number, part in arrived.items()})
            if not missing:
                self.join_parts(key, multipart_id, arrived)
        except PartsGone:
            return ()
        return missing

    def download(self, key: str, path: Path, *, max_bytes: int, seconds: float = DOWNLOAD_SECONDS) -> bytes:
        """Write an object into a file, never whole in memory, and return its SHA-256.

        Raises:
            ObjectMissing: there is no such object.
            ObjectTooLarge: it has more than `max_bytes`.
        """
        digest, received = hashlib.sha256(), 0
        with closing(self._reads.chunks(key, seconds=seconds)) as chunks, path.open("wb") as file:
            for chunk in chunks:
                received += len(chunk)
                if received > max_bytes:
                    raise ObjectTooLarge(f"{key} has more than {max_bytes} bytes.")
                digest.update(chunk)
                file.write(chunk)
        return digest.digest()

    def upload(self, key: str, path: Path, *, content_type: str, seconds: float = UPLOAD_SECONDS) -> None:
        """Write a file as an object that never changes.

        Raises:
            FileReplaced: the path ends in a link, or in anything else but a file.
        """
        with translated(), TimedFile(path, seconds=seconds) as file:
            self.inside.put_object(
                Bucket=self.bucket, Key=key, Body=file, ContentType=content_type, CacheControl=IMMUTABLE
            )

    def prepare(self) -> None:
        """Make the bucket unless it is there, and have it take browsers' POSTs and drop what is old.

        For local stacks; in AWS the stack's template says the same.
        """
        with translated():
            buckets = [bucket["Name"] for bucket in self.inside.list_buckets()["Buckets"]]
            if self.bucket not in buckets:
                self.inside.create_bucket(Bucket=self.bucket)
            self.inside.put_bucket_cors(Bucket=self.bucket, CORSConfiguration=UPLOADS_OF_BROWSERS)
            self.inside.put_bucket_lifecycle_configuration(
                Bucket=self.bucket, LifecycleConfiguration={"Rules": [UNFINISHED_PARTS_GO, *_rules_of_age()]}
            )

    def _signed_read_address(self, key: str, _span: int) -> str:
        address = self.inside.generate_presigned_url(
            "get_object", Params={"Bucket": self.bucket, "Key": key}, ExpiresIn=READ_ADDRESS_SECONDS
        )
        parts = urlsplit(address)
        return f"{parts.path}?{parts.query}"


def _rules_of_age() -> list[LifecycleRuleUnionTypeDef]:
    return [
        {
            "ID": f"drop-{prefix.rstrip('/')}",
            "Status": "Enabled",
            "Filter": {"Prefix": prefix},
            "Expiration": {"Days": days},
        }
        for prefix, days in DAYS_KEPT.items()
    ]
