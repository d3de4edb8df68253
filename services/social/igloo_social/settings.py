"""What the social service can be told from outside, read once at start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from igloo_common.object_store import StorageSettings
from igloo_common.settings import CommonSettings, Environment

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR = 3600


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The social service's configuration."""

    common: CommonSettings
    storage: StorageSettings
    address_ttl_seconds: int
    """How long a signed rendition address works at least."""
    address_round_seconds: int
    """Addresses signed within this span are the same text, so that phones and proxies can cache them."""

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read every setting.

        Raises:
            ConfigurationError: With every problem at once, not the first alone.
        """
        env = Environment.load(environ)
        settings = cls(
            common=CommonSettings.read(env, service="social"),
            storage=StorageSettings.read(env),
            address_ttl_seconds=env.integer(
                "IGLOO_ADDRESS_TTL_SECONDS", default=24 * HOUR, minimum=60, maximum=7 * 24 * HOUR
            ),
            address_round_seconds=env.integer(
                "IGLOO_ADDRESS_ROUND_SECONDS", default=HOUR, minimum=1, maximum=24 * HOUR
            ),
        )
        env.finish()
        return settings
