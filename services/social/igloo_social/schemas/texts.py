"""Text that people write, composed and free of what misleads its readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError, fields

from igloo_common.field_errors import CodedMessage
from igloo_social.policies.names import composed, is_refused

if TYPE_CHECKING:
    from collections.abc import Mapping


class Text(fields.String):
    """A text: stripped, in Unicode's composed form, without control characters or direction overrides."""

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
        if any(is_refused(character, lines=self._lines) for character in text):
            raise ValidationError(
                CodedMessage("The text holds control or direction characters.", code="forbidden_character")
            )
        return text
