"""A multipart form whose files go to disk as they arrive, hashed on the way and never whole in memory."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

import orjson
from flask import request
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from igloo_common.errors import FieldError, Malformed, TooLarge, Unavailable
from igloo_common.field_errors import escaped
from igloo_common.inputs import ValidationFailed

_CHUNK_BYTES: Final = 64 * 1024
# What the decoder may hold back: a chunk, and the headers of a part that have not ended yet.
_BUFFER_BYTES: Final = 2 * _CHUNK_BYTES
_LONGEST_BOUNDARY: Final = 70  # RFC 2046 section 5.1.1
_FULL_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class MalformedForm(Malformed):
    """The body is not the multipart form that it says it is, or it ends before its last boundary."""


class FileTooLarge(TooLarge):
    """One of the files has more bytes than a file may have; `errors` names it."""


class NoRoomOnDisk(Unavailable):
    """There is no room to take the files at the moment; nothing of them was kept."""

    retry_after_seconds = 30


@dataclass(frozen=True, kw_only=True)
class FormRules:
    """What a form may bring: files under one name, and texts under others, each as often."""

    file_name: str
    text_names: Collection[str]
    max_files: int
    max_file_bytes: int
    max_text_bytes: int = 16 * 1024


@dataclass(frozen=True, kw_only=True)
class ArrivedFile:
    """A file of the form; what its sender called it is not looked at."""

    path: Path
    size_bytes: int
    sha256: bytes


@dataclass(frozen=True, kw_only=True)
class StreamedForm:
    """All that a form brought; the files lie in the folder that it was read into."""

    files: list[ArrivedFile] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)

    @cached_property
    def fingerprint(self) -> bytes:
        """The same for the same files and texts, whatever boundary and file names they were sent with."""
        hashes = [file.sha256.hex() for file in self.files]
        return orjson.dumps([hashes, self.texts], option=orjson.OPT_SORT_KEYS)


def read_form(folder: Path, rules: FormRules) -> StreamedForm:
    """Read the body of the current request, its files into a folder that is empty.

    Raises:
        UnsupportedMediaType: it is no multipart form.
        MalformedForm: it cannot be read as one.
        FileTooLarge, ValidationFailed: it brings what the rules do not allow.
    """
    form = StreamedForm()
    decoder = MultipartDecoder(_boundary(), max_form_memory_size=_BUFFER_BYTES)
    part: _FilePart | _TextPart | None = None
    try:
        for event in _events(decoder):
            if isinstance(event, File | Field):
                part = _begun(event.name, form, folder, rules)
            elif isinstance(event, Data) and part is not None:
                part.write(event.data)
                if not event.more_data:
                    part.end(form)
    finally:
        if isinstance(part, _FilePart):
            part.close()
    return form


@contextmanager
def room_on_disk() -> Iterator[None]:
    """Turn a full disk into a refusal.

    Raises:
        NoRoomOnDisk: the block could not write for want of room.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL_DISK:
            raise NoRoomOnDisk("There is no room for the files at the moment.") from error
        raise


class _FilePart:
    def __init__(self, path: Path, pointer: str, max_bytes: int) -> None:
        self._path, self._pointer, self._max_bytes = path, pointer, max_bytes
        self._digest, self._size_bytes = hashlib.sha256(), 0
        self._file = path.open("xb")

    def write(self, data: bytes) -> None:
        self._size_bytes += len(data)
        if self._size_bytes > self._max_bytes:
            detail = f"The file has more than {self._max_bytes} bytes."
            entry = FieldError(pointer=self._pointer, code=FileTooLarge.code, detail=detail)
            raise FileTooLarge(f"A file may have {self._max_bytes} bytes.", errors=[entry])
        self._digest.update(data)
        self._file.write(data)

    def end(self, form: StreamedForm) -> None:
        self._file.close()
        sha256 = self._digest.digest()
        form.files.append(ArrivedFile(path=self._path, size_bytes=self._size_bytes, sha256=sha256))

    def close(self) -> None:
        # Closing writes what is buffered: on a full disk it fails as the write before it has.
        with suppress(OSError):
            self._file.close()


class _TextPart:
    def __init__(self, name: str, pointer: str, max_bytes: int) -> None:
        self._name, self._pointer, self._max_bytes = name, pointer, max_bytes
        self._content = bytearray()

    def write(self, data: bytes) -> None:
        self._content += data
        if len(self._content) > self._max_bytes:
            raise _failed(self._pointer, "too_long", f"Longer than {self._max_bytes} bytes.")

    def end(self, form: StreamedForm) -> None:
        try:
            text = self._content.decode()
        except UnicodeDecodeError as error:
            raise _failed(self._pointer, "invalid_type", "Text must be UTF-8.") from error
        if "\0" in text:
            raise _failed(self._pointer, "null_character", "Text must not contain U+0000.")
        form.texts.setdefault(self._name, []).append(text)


def _begun(name: str | None, form: StreamedForm, folder: Path, rules: FormRules) -> _FilePart | _TextPart:
    if name is None:
        raise MalformedForm("A part of the form has no name.")
    count = len(form.files if name == rules.file_name else form.texts.get(name, ()))
    pointer = f"/{escaped(name)}"
    if name != rules.file_name and name not in rules.text_names:
        raise _failed(pointer, "unknown_field", "Unknown field.")
    if count == rules.max_files:
        raise _failed(pointer, "invalid_length", f"There may be {rules.max_files} of them at most.")
    if name == rules.file_name:
        return _FilePart(folder / str(count), f"{pointer}/{count}", rules.max_file_bytes)
    return _TextPart(name, f"{pointer}/{count}", rules.max_text_bytes)


def _events(decoder: MultipartDecoder) -> Iterator[object]:
    """Feed the decoder until the last boundary; of the reader's errors only the decoder's are translated."""
    more = True
    while more:
        data = request.stream.read(_CHUNK_BYTES)
        more = bool(data)
        decoder.receive_data(data or None)
        while not isinstance(event := _next(decoder), NeedData | Epilogue):
            yield event


def _next(decoder: MultipartDecoder) -> object:
    try:
        return decoder.next_event()
    except ValueError as error:
        raise MalformedForm("The form ends early, or has a part that cannot be read.") from error


def _boundary() -> bytes:
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType("The body must be multipart/form-data.")
    boundary = request.mimetype_params.get("boundary", "")
    if not boundary.isascii() or not 0 < len(boundary) <= _LONGEST_BOUNDARY:
        raise MalformedForm("The Content-Type names no usable boundary.")
    return boundary.encode()


def _failed(pointer: str, code: str, detail: str) -> ValidationFailed:
    return ValidationFailed(
        "Some values are not acceptable.", errors=[FieldError(pointer=pointer, code=code, detail=detail)]
    )
