"""What a request brings, read and checked against a schema before a view sees it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import orjson
from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError
from webargs.multidictproxy import MultiDictProxy
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import UnsupportedMediaType

from igloo_common.errors import FieldError, Invalid, Malformed
from igloo_common.field_errors import escaped, field_errors

Location = Literal["json", "query", "form", "json_or_form", "headers", "files"]

_JSON_TYPE: Final = re.compile(r"application/(?:[\w.!#$&^-]+\+)?json")
_FORM_TYPES: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_IGNORES_UNKNOWN: Final = frozenset({"query", "headers", "files"})
_MAX_DEPTH: Final = 32


class MalformedJson(Malformed):
    """The body is not JSON."""


class ValidationFailed(Invalid):
    """The request is well-formed, and parts of it are not acceptable; `errors` names them."""


def load(schema: Schema, location: Location, *, required: bool) -> Any:  # noqa: ANN401 -- as the schema says
    """Read one location of the current request through a schema.

    Raises:
        MalformedJson, ValidationFailed, UnsupportedMediaType: as their names say.
    """
    source = _source(schema, location, required=required)
    try:
        return schema.load(source, unknown=EXCLUDE if location in _IGNORES_UNKNOWN else None)
    except ValidationError as error:
        shown = "body" if location in ("json", "form", "json_or_form") else location
        found = field_errors(error.messages, location=shown)
        raise ValidationFailed("Some values are not acceptable.", errors=found) from error


def _source(schema: Schema, location: Location, *, required: bool) -> Mapping[str, Any]:
    if location == "json_or_form":
        location = "form" if request.mimetype in _FORM_TYPES else "json"
    if location == "json":
        return _json_object(required=required)
    return _multi(schema, location)


def _json_object(*, required: bool) -> Mapping[str, Any]:
    body = request.get_data(cache=True)
    if not body and not required:
        return {}
    if not _JSON_TYPE.fullmatch(request.mimetype):
        raise UnsupportedMediaType("The body must be application/json.")
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedJson(f"The body is not JSON: {error}.") from error
    if not isinstance(content, dict):
        raise _failed("", "invalid_type", "The body must be a JSON object.")
    _check_nesting(body, content)
    return content


def _check_nesting(body: bytes, content: Mapping[str, Any]) -> None:
    # Two counts of bytes spare nearly every request the walk through its body.
    if b"\\u0000" not in body and body.count(b"{") + body.count(b"[") <= _MAX_DEPTH:
        return
    for pointer, depth, value in _walk(content):
        if depth > _MAX_DEPTH:
            raise _failed("", "too_deep", f"The body is nested more than {_MAX_DEPTH} levels deep.")
        if isinstance(value, str) and "\0" in value:
            raise _failed(pointer, "null_character", "Text must not contain the character U+0000.")


def _walk(content: object) -> Iterator[tuple[str, int, object]]:
    # A stack of our own: a hostile body is deeper than Python's.
    waiting: list[tuple[str, int, object]] = [("", 0, content)]
    while waiting:
        pointer, depth, value = waiting.pop()
        yield pointer, depth, value
        if isinstance(value, dict):
            for name, child in value.items():
                yield pointer, depth, name
                waiting.append((f"{pointer}/{escaped(name)}", depth + 1, child))
        elif isinstance(value, list):
            waiting.extend((f"{pointer}/{index}", depth + 1, child) for index, child in enumerate(value))


def _multi(schema: Schema, location: Location) -> Mapping[str, Any]:
    if location == "form":
        _check_form_type()
    sources: dict[str, Any] = {"query": "args", "form": "form", "headers": "headers", "files": "files"}
    values = getattr(request, sources[location])
    if location in ("query", "form"):
        _check_texts(values, location)
    return MultiDictProxy(values, schema)


def _check_form_type() -> None:
    if request.mimetype not in _FORM_TYPES:
        raise UnsupportedMediaType("The body must be application/x-www-form-urlencoded.")
    if request.mimetype == _FORM_TYPES[0]:
        # Parsing a form consumes the body; Idempotency-Key still needs its bytes.
        request.get_data(cache=True)


def _check_texts(values: MultiDict[str, str], location: str) -> None:
    for name, value in values.items(multi=True):
        if "\0" in value or "\0" in name:
            shown = "body" if location == "form" else location
            raise _failed(f"/{escaped(name)}", "null_character", "Text must not contain U+0000.", shown)


def _failed(pointer: str, code: str, detail: str, location: str = "body") -> ValidationFailed:
    entry = FieldError(pointer=pointer, code=code, detail=detail, location=location)
    return ValidationFailed("Some values are not acceptable.", errors=[entry])
