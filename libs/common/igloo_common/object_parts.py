"""Objects that arrive in parts, each PUT by itself: S3's multipart uploads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter

from igloo_common.object_store import ObjectStore, translated


class PartsGone(Exception):
    """S3 knows no such upload in parts (any more): it was joined, aborted, or never begun."""


@dataclass(frozen=True, kw_only=True)
class ArrivedPart:
    """One part that lies in S3."""

    size_bytes: int
    etag: str
    """S3's name for these bytes; joining asks for it."""


class PartsStore(ObjectStore):
    """One bucket, with uploads in parts; every method that asks S3 raises StorageUnavailable as there."""

    def begin_parts(self, key: str, *, content_type: str) -> str:
        """Begin an upload in parts, and return S3's name for it; there is no object until they are joined."""
        with translated():
            begun = self.inside.create_multipart_upload(Bucket=self.bucket, Key=key, ContentType=content_type)
        return begun["UploadId"]

    def part_address(self, key: str, multipart_id: str, *, number: int, size_bytes: int, seconds: int) -> str:
        """Sign an address that takes one part of exactly this size by PUT, for some time; asks nobody."""
        return self.outside.generate_presigned_url(
            "upload_part",
            Params={
                "Bucket": self.bucket,
                "Key": key,
                "UploadId": multipart_id,
                "PartNumber": number,
                # A signed length: S3 refuses a part of any other.
                "ContentLength": size_bytes,
            },
            ExpiresIn=seconds,
        )

    def arrived_parts(self, key: str, multipart_id: str) -> dict[int, ArrivedPart]:
        """Return the parts that lie in S3, by their numbers; of 1,000 at most.

        Raises:
            PartsGone: there is no such upload.
        """
        with _translated():
            answer = self.inside.list_parts(Bucket=self.bucket, Key=key, UploadId=multipart_id)
        # S3 lists what was sent last; other servers also what it took the place of, in any order.
        by_age = sorted(answer.get("Parts", ()), key=itemgetter("LastModified"))
        return {
            part["PartNumber"]: ArrivedPart(size_bytes=part["Size"], etag=part["ETag"]) for part in by_age
        }

    def join_parts(self, key: str, multipart_id: str, parts: Mapping[int, ArrivedPart]) -> None:
        """Make the object of its parts.

        Raises:
            PartsGone: there is no such upload; another may have joined it.
        """
        named = [{"PartNumber": number, "ETag": parts[number].etag} for number in sorted(parts)]
        with _translated():
            self.inside.complete_multipart_upload(
                Bucket=self.bucket,
                Key=key,
                UploadId=multipart_id,
                MultipartUpload={"Parts": named},  # type: ignore[typeddict-item]  # a list of two keys each
            )

    def abort_parts(self, key: str, multipart_id: str) -> None:
        """Give up an upload in parts and what has arrived of it; one that is not there counts as given up."""
        try:
            with _translated():
                self.inside.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=multipart_id)
        except PartsGone:
            return

    def abort_parts_below(self, prefix: str) -> int:
        """Abort every upload in parts below a prefix; return how many, once a listing shows none.

        A part that is on its way while its upload is aborted may make it come up again: hence the listing.
        """
        aborted = 0
        while begun := self._begun_below(prefix):
            for key, multipart_id in begun:
                self.abort_parts(key, multipart_id)
            aborted += len(begun)
        return aborted

    def _begun_below(self, prefix: str) -> list[tuple[str, str]]:
        with translated():
            answer = self.inside.list_multipart_uploads(Bucket=self.bucket, Prefix=prefix)
        return [(each["Key"], each["UploadId"]) for each in answer.get("Uploads", ())]


@contextmanager
def _translated() -> Iterator[None]:
    """Turn boto3's errors into ours, an upload in parts that is not there into one of its own."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - as in object_store.s3_client

    with translated():
        try:
            yield
        except ClientError as error:
            if error.response["Error"].get("Code") == "NoSuchUpload":
                raise PartsGone from error
            raise
