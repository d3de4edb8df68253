"""Text that people write: the same field as in every service."""

from igloo_common.text_fields import Text

__all__ = ["Text"]
