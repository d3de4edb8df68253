"""What serves one grant type: the parameters it reads, and who answers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from igloo_auth.operations.grants import Grant
from igloo_auth.schemas.token import OAuthRequestSchema


@dataclass(frozen=True, kw_only=True)
class Grantor:
    """What one grant type reads, and who answers it; `grant` opens the transaction."""

    schema: OAuthRequestSchema
    grant: Callable[[Any], Grant]
