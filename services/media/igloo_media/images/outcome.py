"""What rendering a photo can end in: a photo with its renditions, a refusal, or a dead child."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

CONTENT_TYPE = "image/webp"


@dataclass(frozen=True, kw_only=True)
class RenditionFile:
    """One encoded rendition, still on this machine's disk."""

    name: str
    path: Path
    width: int
    height: int
    content_type: str
    size_bytes: int
    is_animated: bool = False


def file_of(folder: Path, name: str) -> Path:
    """Name the file that a rendition is written to."""
    return folder / f"{name}.webp"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a file carried besides its pixels, by kind and never by value."""

    removed: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A decoded photo: its upright size and what was made of it."""

    width: int
    height: int
    frames: int
    """More than one is an animation."""
    blurhash: str
    dominant_color: str
    receipt: Receipt
    renditions: tuple[RenditionFile, ...]


class ImageRejected(Exception):
    """The bytes are not a photo that igloo takes; trying again cannot help."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def unreadable() -> ImageRejected:
    """Return the refusal of bytes that no decoder makes sense of."""
    return ImageRejected("unreadable_image", "The photo is damaged or incomplete and cannot be read.")


def too_much_memory() -> ImageRejected:
    """Return the refusal of a photo that the child has too little memory for."""
    return ImageRejected("too_much_memory", "The photo needs more memory to open than one photo may have.")


class ProcessingTimeout(Exception):
    """The child used up its CPU time or its wall time."""

    code = "processing_timeout"
    detail = "The photo took too long to process."


class ProcessingCrashed(Exception):
    """The child died, for example because the photo needed more memory than it may have."""

    code = "processing_crashed"
    detail = "The photo could not be processed."


def as_message(outcome: Photo | RenditionFile | ImageRejected) -> dict[str, Any]:
    """Return the child's answer as what JSON can carry; `answers` reads it."""
    if isinstance(outcome, ImageRejected):
        return {"rejected": {"code": outcome.code, "detail": str(outcome)}}
    if isinstance(outcome, RenditionFile):
        return {"rendition": _size(outcome)}
    return {
        "photo": {**asdict(outcome), "renditions": {each.name: _size(each) for each in outcome.renditions}}
    }


def _size(rendition: RenditionFile) -> dict[str, object]:
    return {"width": rendition.width, "height": rendition.height, "is_animated": rendition.is_animated}
