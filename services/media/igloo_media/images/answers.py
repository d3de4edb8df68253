"""What the child answers, read by a worker that believes nothing which it can tell by itself.

A decoder that was taken over writes them as it likes. So no answer names a file, a type or a size: the worker
would read, publish and count whatever the child named. What is left is held against its form.
"""

import json
import re
import stat
from pathlib import Path
from typing import Any, Final

from igloo_media.images.limits import MAX_FRAMES, MAX_PIXELS
from igloo_media.images.outcome import (
    CONTENT_TYPE,
    ImageRejected,
    Photo,
    ProcessingCrashed,
    Receipt,
    RenditionFile,
    file_of,
)

MAX_ANSWER_BYTES: Final = 64 * 1024
RENDITIONS: Final = ("thumb", "feed", "full")
DETAIL_LENGTH: Final = 500
CODE: Final = re.compile(r"[a-z_]{1,64}")
BLURHASH: Final = re.compile(r"[0-9A-Za-z#$%*+,.:;=?@\[\]^_{|}~-]{6,100}")
COLOR: Final = re.compile(r"#[0-9a-f]{6}")


def photo_of(answer: bytes, folder: Path) -> Photo:
    """Return the photo that the child answered; its renditions lie in the folder.

    Raises:
        ImageRejected: that was the child's answer.
        ProcessingCrashed: the answer makes no sense.
    """
    message = _accepted(answer)
    try:
        return _photo(message["photo"], folder)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise _nonsense(error) from error


def rendition_of(answer: bytes, folder: Path, name: str) -> RenditionFile:
    """Return the one rendition that the child answered, which lies in the folder.

    Raises:
        ImageRejected: that was the child's answer.
        ProcessingCrashed: the answer makes no sense.
    """
    message = _accepted(answer)
    try:
        return _rendition(message["rendition"], folder, name)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise _nonsense(error) from error


def _accepted(answer: bytes) -> dict[str, Any]:
    try:
        message: dict[str, Any] = json.loads(answer)
        refusal = message.get("rejected")
        rejected = refusal and ImageRejected(
            _text(refusal["code"], CODE), str(refusal["detail"]).replace("\0", "")[:DETAIL_LENGTH]
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _nonsense(error) from error
    if rejected:
        raise rejected
    return message


def _photo(told: dict[str, Any], folder: Path) -> Photo:
    receipt = {
        name: tuple(_text(kind, CODE) for kind in told["receipt"][name]) for name in ("removed", "kept")
    }
    return Photo(
        width=_number(told["width"], MAX_PIXELS),
        height=_number(told["height"], MAX_PIXELS),
        frames=_number(told["frames"], MAX_FRAMES),
        blurhash=_text(told["blurhash"], BLURHASH),
        dominant_color=_text(told["dominant_color"], COLOR),
        receipt=Receipt(**receipt),
        renditions=tuple(_rendition(told["renditions"][name], folder, name) for name in RENDITIONS),
    )


def _rendition(told: dict[str, Any], folder: Path, name: str) -> RenditionFile:
    path = file_of(folder, name)
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        # A link, where the kernel has no Landlock to refuse it: it may lead to a file of the worker's own.
        raise ValueError("A rendition is no file.")
    return RenditionFile(
        name=name,
        path=path,
        width=_number(told["width"], MAX_PIXELS),
        height=_number(told["height"], MAX_PIXELS),
        content_type=CONTENT_TYPE,
        size_bytes=found.st_size,
        is_animated=bool(told["is_animated"]),
    )


def _number(told: object, most: int) -> int:
    if not isinstance(told, int) or not 1 <= told <= most:
        raise ValueError("A number is none, or out of bounds.")
    return int(told)


def _text(told: object, form: re.Pattern[str]) -> str:
    if not isinstance(told, str) or not form.fullmatch(told):
        raise ValueError("A text is none, or of another form.")
    return told


def _nonsense(error: Exception) -> ProcessingCrashed:
    return ProcessingCrashed(f"the child's answer makes no sense: {type(error).__name__}")
