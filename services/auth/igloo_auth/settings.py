"""What the auth service can be told from outside, read once at start."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from igloo_common.settings import CommonSettings, Environment

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUTE = 60
DAY = 24 * 60 * MINUTE

FACEBOOK_GRAPH_URL = "https://graph.facebook.com"
# Graph versions live for about two years and change answers when they go; raising this is a decision that
# the tests of the adapter go with, never something that happens by Facebook's "oldest available" default.
FACEBOOK_GRAPH_VERSION = "v25.0"


@dataclass(frozen=True, kw_only=True)
class TokenLifetimes:
    """How long what we issue is good for."""

    access_seconds: int
    refresh_seconds: int
    """A session that is not used for this long is over."""
    reuse_grace_seconds: int
    """A refresh token that was exchanged still gives its successor for this long, however often it comes."""


@dataclass(frozen=True, kw_only=True)
class FacebookSettings:
    """Our app at Facebook, and where its Graph API answers."""

    app_id: str
    app_secret: str = field(repr=False)
    graph_url: str
    graph_version: str


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The auth service's configuration."""

    common: CommonSettings
    facebook: FacebookSettings
    lifetimes: TokenLifetimes
    signing_keys_file: Path
    generate_signing_keys: bool
    """Whether a missing key file is made at the first start: never in production, where each task would
    make its own and refuse the others' tokens."""

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read every setting.

        Raises:
            ConfigurationError: With every problem at once, not the first alone.
        """
        env = Environment.load(environ)
        settings = cls(
            common=CommonSettings.read(env, service="auth", signs_addresses=False),
            facebook=_facebook(env),
            lifetimes=_lifetimes(env),
            signing_keys_file=Path(env.text("IGLOO_SIGNING_KEYS_FILE")),
            generate_signing_keys=env.name != "production",
        )
        env.finish()
        return settings


def _facebook(env: Environment) -> FacebookSettings:
    graph_url = env.url("IGLOO_FACEBOOK_GRAPH_URL", schemes=("http", "https"), default=FACEBOOK_GRAPH_URL)
    if env.name == "production" and not _is_facebook(graph_url):
        # Whoever answers there says who people are: a stand-in would let anyone in as anybody.
        env.problem("IGLOO_FACEBOOK_GRAPH_URL", "must be a host of facebook.com, over https, in production")
    return FacebookSettings(
        app_id=env.text("FACEBOOK_APP_ID"),
        app_secret=env.secret("FACEBOOK_APP_SECRET"),
        graph_url=graph_url,
        graph_version=FACEBOOK_GRAPH_VERSION,
    )


def _is_facebook(url: str) -> bool:
    address = urlsplit(url)
    return address.scheme == "https" and f".{address.hostname}".endswith(".facebook.com")


def _lifetimes(env: Environment) -> TokenLifetimes:
    return TokenLifetimes(
        # Ten minutes at most: it bounds for how long a service cut off from events honours a revoked session.
        access_seconds=env.integer(
            "IGLOO_ACCESS_TOKEN_SECONDS", default=10 * MINUTE, minimum=5, maximum=10 * MINUTE
        ),
        refresh_seconds=env.integer(
            "IGLOO_REFRESH_TOKEN_SECONDS", default=60 * DAY, minimum=MINUTE, maximum=365 * DAY
        ),
        reuse_grace_seconds=env.integer(
            "IGLOO_REFRESH_GRACE_SECONDS", default=MINUTE, minimum=0, maximum=10 * MINUTE
        ),
    )
