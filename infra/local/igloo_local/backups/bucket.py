"""The bucket's side of a backup: an inventory of its objects, their bytes, and the way back."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from igloo_common.object_store import ObjectStore, StorageSettings
from igloo_common.storage_errors import ObjectMissing, StorageUnavailable, translated
from igloo_local.errors import StackError

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class InventoryLine:
    """One object; what is served with it is known only of one whose bytes were read."""

    key: str
    size_bytes: int
    etag: str
    content_type: str | None = None
    cache_control: str | None = None


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What an inventory holds."""

    objects: int
    object_bytes: int


def store_of(environment: Mapping[str, str]) -> ObjectStore:
    """Reach the bucket as the media service does; `environment` is what that is told."""
    settings = StorageSettings(
        endpoint=environment["IGLOO_S3_ENDPOINT"],
        public_endpoint=None,
        bucket=environment["IGLOO_S3_BUCKET"],
        region=environment["IGLOO_S3_REGION"],
        access_key_id=environment["IGLOO_S3_ACCESS_KEY_ID"],
        secret_access_key=environment["IGLOO_S3_SECRET_ACCESS_KEY"],
        read_seconds=_SECONDS,
    )
    return ObjectStore(settings)


def take_inventory(store: ObjectStore, inventory: Path, objects: Path | None) -> Taken:
    """Write a line for each object and, unless `objects` is None, its bytes into one archive.

    An object that goes while this works is in neither.

    Raises:
        StackError: S3 does not answer.
    """
    count = size_bytes = 0
    with _plain_errors(), ExitStack() as files:
        lines = files.enter_context(gzip.open(inventory, "wt", encoding="utf-8"))
        archive = None if objects is None else files.enter_context(tarfile.open(objects, "w"))
        for line in _listing(store):
            try:
                written = line if archive is None else _copy_out(store, line, archive)
            except ObjectMissing:
                continue
            lines.write(json.dumps(asdict(written)) + "\n")
            count, size_bytes = count + 1, size_bytes + written.size_bytes
    return Taken(objects=count, object_bytes=size_bytes)


def put_back(store: ObjectStore, inventory: Path, objects: Path | None) -> int:
    """Make the bucket and write the objects of an archive into it; return how many.

    Raises:
        StackError: S3 does not answer, or the archive and the inventory do not agree.
    """
    count = 0
    with _plain_errors(), translated():
        store.inside.create_bucket(Bucket=store.bucket)
        if objects is None:
            return 0
        with tarfile.open(objects) as archive:
            for line, member in zip(read_inventory(inventory), archive, strict=True):
                content = archive.extractfile(member)
                if member.name != line.key or content is None:
                    raise StackError(f"{objects} does not hold what {inventory.name} says")
                store.inside.put_object(**_request(store, line, content))
                count += 1
    return count


def read_inventory(inventory: Path) -> Iterator[InventoryLine]:
    """Read an inventory line by line."""
    with gzip.open(inventory, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield InventoryLine(**json.loads(line))


def _listing(store: ObjectStore) -> Iterator[InventoryLine]:
    with translated():
        for page in store.inside.get_paginator("list_objects_v2").paginate(Bucket=store.bucket):
            for entry in page.get("Contents", ()):
                yield InventoryLine(key=entry["Key"], size_bytes=entry["Size"], etag=entry["ETag"].strip('"'))


def _copy_out(store: ObjectStore, line: InventoryLine, archive: tarfile.TarFile) -> InventoryLine:
    with translated():
        answer = store.inside.get_object(Bucket=store.bucket, Key=line.key)
        member = tarfile.TarInfo(line.key)
        member.size, member.mode = answer["ContentLength"], 0o600
        with closing(answer["Body"]) as body:
            archive.addfile(member, cast(IO[bytes], body))
    return replace(
        line,
        size_bytes=answer["ContentLength"],
        etag=answer["ETag"].strip('"'),
        content_type=answer.get("ContentType"),
        cache_control=answer.get("CacheControl"),
    )


def _request(store: ObjectStore, line: InventoryLine, content: IO[bytes]) -> PutObjectRequestTypeDef:
    served: dict[str, Any] = {"ContentType": line.content_type, "CacheControl": line.cache_control}
    return {
        "Bucket": store.bucket,
        "Key": line.key,
        "Body": content,
        "ContentLength": line.size_bytes,
        **{name: value for name, value in served.items() if value},  # type: ignore[typeddict-item]
    }


class _plain_errors:  # noqa: N801 - reads as a with statement
    """Says in a sentence what whoever runs the command can understand."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, StorageUnavailable):
            raise StackError(f"S3 does not answer: {error}") from error
