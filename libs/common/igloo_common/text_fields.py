"""The fields of texts that people or their devices write, for the schemas of all services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate

from igloo_common.field_errors import CodedMessage
from igloo_common.texts import cleaned, composed, problem_with


class Text(fields.String):
    """A text: stripped, in Unicode's composed form, and nothing in it that misleads who reads it.

    Lengths are of what is stored: where there has to be a text, ask for one of at least 1.
    """

    def __init__(self, *, lines: bool = False, **options: Any) -> None:  # noqa: ANN401 - marshmallow's options
        super().__init__(**options)
        self._lines = lines

    def _deserialize(
        self,
        value: Any,  # noqa: ANN401 - what a client sent
        attr: str | None,
        data: Mapping[str, Any] | None,
        **options: Any,  # noqa: ANN401 - marshmallow's own
    ) -> str:
        text = composed(super()._deserialize(value, attr, data, **options))
        problem = problem_with(text, lines=self._lines)
        if problem is not None:
            code, detail = problem
            raise ValidationError(CodedMessage(detail, code=code))
        return text


class CleanedName(fields.String):
    """A name that nobody typed for us, as a phone's: made fit to be shown, and empty where nothing is left.

    It is never the reason to refuse a request; only one longer than `longest` characters is.
    """

    def __init__(self, *, longest: int, **options: Any) -> None:  # noqa: ANN401 - marshmallow's options
        super().__init__(validate=validate.Length(max=longest), **options)

    def _deserialize(
        self,
        value: Any,  # noqa: ANN401 - what a client sent
        attr: str | None,
        data: Mapping[str, Any] | None,
        **options: Any,  # noqa: ANN401 - marshmallow's own
    ) -> str:
        return cleaned(super()._deserialize(value, attr, data, **options))
