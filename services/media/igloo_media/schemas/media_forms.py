"""The form that brings photos themselves: its texts belong to its files, in their order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validate

from igloo_common.errors import FieldError
from igloo_common.field_errors import field_errors
from igloo_common.inputs import ValidationFailed
from igloo_common.streamed_forms import ArrivedFile, FormRules, StreamedForm
from igloo_media.events import FocalPoint
from igloo_media.images import ImageRejected
from igloo_media.images.sniff import sniff_format
from igloo_media.operations.uploads import RequestedFile
from igloo_media.policies.uploads import CONTENT_TYPES, MAX_FILE_BYTES, MAX_FILES
from igloo_media.schemas.alt_texts import MAX_ALT_TEXT_LENGTH, alt_text_field
from igloo_media.schemas.focal_points import FocalPointSchema

HEIF_KINDS: Final = {b"avi": "avif", b"hei": "heic", b"hev": "heic"}
TEXTS: Final = ("client_id", "alt_text", "focal_point", "sha256")
RULES: Final = FormRules(
    file_name="files", text_names=TEXTS, max_files=MAX_FILES, max_file_bytes=MAX_FILE_BYTES
)
# A little more than the gateway lets through, which so is the one that refuses a form for its length.
MAX_FORM_BYTES: Final = MAX_FILES * MAX_FILE_BYTES + 1_000_000
_POINT: Final = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*,\s*(\d{1,9}(?:\.\d{1,9})?)\s*", re.ASCII)
_PER_FILE: Final = " One for each of the files, in their order; an empty one stands for none."


class PointText(fields.Field[FocalPoint]):
    """A focal point as a form has it: `0.5,0.33`, across and down."""

    def _deserialize(
        self,
        value: Any,  # noqa: ANN401 - what a client sent
        attr: str | None,
        data: Mapping[str, Any] | None,
        **options: Any,  # noqa: ANN401 - marshmallow's own
    ) -> FocalPoint:
        found = _POINT.fullmatch(str(value))
        if found is None:
            raise ValidationError("Not a valid point: write two numbers from 0 to 1, as 0.5,0.33.")
        point: FocalPoint = FocalPointSchema().load({"x": float(found[1]), "y": float(found[2])})
        return point


class MediaTextsSchema(Schema):
    """The texts of a form; none stands for an empty one."""

    client_id = fields.List(fields.String(allow_none=True, validate=validate.Length(min=1, max=64)))
    alt_text = fields.List(alt_text_field())
    focal_point = fields.List(PointText(allow_none=True))
    sha256 = fields.List(fields.String(allow_none=True, validate=validate.Regexp(r"^[0-9a-fA-F]{64}(?!\n)$")))


def requested_files(form: StreamedForm) -> list[RequestedFile]:
    """Check all that a form brought, before anything is written down of it.

    Raises:
        ValidationFailed: with everything that is wrong.
    """
    types, problems = _content_types(form.files)
    texts, wrong_texts = _texts(form)
    problems += [*wrong_texts, *_mismatches(form, texts)]
    if problems:
        raise ValidationFailed("Some values are not acceptable.", errors=problems)
    return [
        RequestedFile(
            content_type=content_type,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            client_id=client_id,
            alt_text=alt_text,
            focal_point=focal_point,
        )
        for content_type, file, client_id, alt_text, focal_point in zip(
            types, form.files, texts["client_id"], texts["alt_text"], texts["focal_point"], strict=True
        )
    ]


def _content_types(files: list[ArrivedFile]) -> tuple[list[str], list[FieldError]]:
    """Tell each file's type by its first bytes: what the form says of it is not believed."""
    if not files:
        detail = f"Send 1 to {MAX_FILES} files."
        return [], [FieldError(pointer="/files", code="required", detail=detail)]
    types: list[str] = []
    problems: list[FieldError] = []
    for index, file in enumerate(files):
        try:
            types.append(_content_type(file))
        except ImageRejected as error:
            problems.append(FieldError(pointer=f"/files/{index}", code=error.code, detail=str(error)))
    return types, problems


def _content_type(file: ArrivedFile) -> str:
    if not file.size_bytes:
        raise ImageRejected("empty_file", "The file is empty.")
    found = sniff_format(file.path)
    return f"image/{_heif_kind(file.path) if found == 'heif' else found}"


def _heif_kind(path: Path) -> str:
    """Tell the photos of one container apart by their major brand: phones announce `image/heic`."""
    with path.open("rb") as file:
        brand = file.read(12)[8:]
    return HEIF_KINDS.get(brand[:3], "heif")


def _texts(form: StreamedForm) -> tuple[dict[str, list[Any]], list[FieldError]]:
    """Read the texts, and fill up with none where fewer came than files."""
    count = len(form.files)
    sent = {name: [text or None for text in form.texts.get(name, ())] for name in TEXTS}
    try:
        loaded: dict[str, list[Any]] = MediaTextsSchema().load(sent)
    except ValidationError as error:
        return dict.fromkeys(TEXTS, [None] * count), field_errors(error.messages)
    too_many = [
        FieldError(pointer=f"/{name}", code="invalid_length", detail="There are more of them than files.")
        for name, values in loaded.items()
        if len(values) > count
    ]
    filled = {name: [*values, *[None] * (count - len(values))] for name, values in loaded.items()}
    return filled, too_many


def _mismatches(form: StreamedForm, texts: Mapping[str, list[Any]]) -> Iterator[FieldError]:
    names = Counter(name for name in texts["client_id"] if name is not None)
    for index, name in enumerate(texts["client_id"]):
        if names[name] > 1:
            detail = "Each file needs a client_id of its own."
            yield FieldError(pointer=f"/client_id/{index}", code="invalid", detail=detail)
    for index, (file, announced) in enumerate(zip(form.files, texts["sha256"], strict=False)):
        if announced is not None and bytes.fromhex(announced) != file.sha256:
            detail = "The file that arrived has another checksum."
            yield FieldError(pointer=f"/sha256/{index}", code="checksum_mismatch", detail=detail)


def _repeated(description: str, **rules: object) -> dict[str, object]:
    # An example of texts would be filled in, and sent, by whoever tries the form on the documentation page.
    more = {"items": {"type": "string", **rules}, "description": description + _PER_FILE, "example": []}
    return {"type": "array", "maxItems": MAX_FILES, **more}


FORM_DOCUMENT: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["files"],
                "additionalProperties": False,
                "properties": {
                    "files": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": MAX_FILES,
                        "items": {"type": "string", "format": "binary"},
                        "description": f"Photos of {MAX_FILE_BYTES} bytes at most each:"
                        f" {', '.join(CONTENT_TYPES)}, told by their bytes and not by their names.",
                    },
                    "client_id": _repeated(
                        "The client's own name for the file: sent again with the same file, the same upload"
                        " answers.",
                        maxLength=64,
                    ),
                    "alt_text": _repeated("What the photo shows.", maxLength=MAX_ALT_TEXT_LENGTH),
                    "focal_point": _repeated(
                        "Where the eye falls, from 0 to 1 across and down, as `0.5,0.33`."
                    ),
                    "sha256": _repeated("Compared with what has arrived; hexadecimal.", maxLength=64),
                },
            },
            "encoding": {name: {"style": "form", "explode": True} for name in TEXTS},
        }
    },
}
"""For `blp.doc(requestBody=…)`: the view reads its body itself."""
