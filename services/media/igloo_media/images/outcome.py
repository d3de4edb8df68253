"""What rendering a photo can end in: a photo with its renditions, a refusal, or a dead child."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class RenditionFile:
    """One encoded rendition, still on this machine's disk."""

    name: str
    path: Path
    width: int
    height: int
    content_type: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A decoded photo: its upright size and what was made of it."""

    width: int
    height: int
    blurhash: str
    dominant_color: str
    renditions: tuple[RenditionFile, ...]


class ImageRejected(Exception):
    """The bytes are not a photo that igloo takes; trying again cannot help."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class ProcessingTimeout(Exception):
    """The child used up its CPU time or its wall time."""

    code = "processing_timeout"
    detail = "The photo took too long to process."


class ProcessingCrashed(Exception):
    """The child died, for example because the photo needed more memory than it may have."""

    code = "processing_crashed"
    detail = "The photo could not be processed."


def as_message(outcome: Photo | ImageRejected) -> dict[str, Any]:
    """Return the child's answer as what JSON can carry."""
    if isinstance(outcome, ImageRejected):
        return {"rejected": {"code": outcome.code, "detail": str(outcome)}}
    photo = asdict(outcome)
    photo["renditions"] = [{**each, "path": str(each["path"])} for each in photo["renditions"]]
    return {"photo": photo}


def from_message(message: dict[str, Any]) -> Photo:
    """Return the photo that the child answered.

    Raises:
        ImageRejected: when that was the child's answer.
    """
    if rejected := message.get("rejected"):
        raise ImageRejected(rejected["code"], rejected["detail"])
    photo = message["photo"]
    renditions = tuple(RenditionFile(**{**each, "path": Path(each["path"])}) for each in photo["renditions"])
    return Photo(**{**photo, "renditions": renditions})
