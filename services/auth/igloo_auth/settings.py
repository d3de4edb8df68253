"""What the auth service can be told from outside, read once at start."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import orjson

from igloo_common.object_store import StorageSettings
from igloo_common.settings import CommonSettings, Environment

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUTE = 60
DAY = 24 * 60 * MINUTE

FACEBOOK_GRAPH_URL = "https://graph.facebook.com"
FACEBOOK_WEB_URL = "https://www.facebook.com"
JWKS_PATH = "/.well-known/oauth/openid/jwks"
LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
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
    web_url: str
    """Where people are sent to sign in."""
    jwks_url: str
    """Where the keys of Limited Login's id tokens are published."""
    graph_version: str


@dataclass(frozen=True, kw_only=True)
class RateLimits:
    """How often per minute; an address is one IPv4 address or one IPv6 /64."""

    tokens_per_address: int
    """Requests of the token endpoint."""
    refusals_per_address: int
    """Refused requests of the token endpoint: who guesses is slowed down sooner than who signs in."""
    nonces_per_address: int
    web_sign_ins_per_address: int
    sign_ins_per_identity: int
    refreshes_per_session: int


@dataclass(frozen=True, kw_only=True)
class SigningKeysSettings:
    """Where the signing keys live: in a file, or in a secret of AWS Secrets Manager."""

    file: Path | None
    secret_id: str | None
    """Name or ARN; one of the two is set."""
    region: str
    generate: bool
    """Whether missing keys are made at the first start: never in production, where each task would make its
    own and refuse the others' tokens."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The auth service's configuration."""

    common: CommonSettings
    facebook: FacebookSettings
    lifetimes: TokenLifetimes
    signing_keys: SigningKeysSettings
    oauth_clients: Mapping[str, tuple[str, ...]]
    """Client id → the exact redirect URIs that it may use; `http://127.0.0.1/…` there allows any port."""
    rate_limits: RateLimits
    storage: StorageSettings

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
            signing_keys=_signing_keys(env),
            oauth_clients=_oauth_clients(env),
            rate_limits=_rate_limits(env),
            storage=StorageSettings.read(env),
        )
        env.finish()
        return settings


def _facebook(env: Environment) -> FacebookSettings:
    web_url = _facebook_url(env, "IGLOO_FACEBOOK_WEB_URL", default=FACEBOOK_WEB_URL)
    graph_url = _facebook_url(env, "IGLOO_FACEBOOK_GRAPH_URL", default=FACEBOOK_GRAPH_URL)
    if env.name != "production" and urlsplit(graph_url).scheme == "http":
        # A stand-in without TLS; oauthlib, which guards the app secret against that, listens to this alone.
        os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    return FacebookSettings(
        app_id=env.text("FACEBOOK_APP_ID"),
        app_secret=env.secret("FACEBOOK_APP_SECRET"),
        graph_url=graph_url,
        web_url=web_url,
        # Facebook redirects the address without its last slash, and we follow no redirects.
        jwks_url=_facebook_url(env, "IGLOO_FACEBOOK_JWKS_URL", default=f"{web_url}{JWKS_PATH}") + "/",
        graph_version=FACEBOOK_GRAPH_VERSION,
    )


def _facebook_url(env: Environment, name: str, *, default: str) -> str:
    url = env.url(name, schemes=("http", "https"), default=default)
    if env.name == "production" and not _is_facebook(url):
        # Whoever answers there says who people are: a stand-in would let anyone in as anybody.
        env.problem(name, "must be a host of facebook.com, over https, in production")
    return url


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


def _signing_keys(env: Environment) -> SigningKeysSettings:
    file, secret_id = (
        env.optional_text("IGLOO_SIGNING_KEYS_FILE"),
        env.optional_text("IGLOO_SIGNING_KEYS_SECRET"),
    )
    if (file is None) == (secret_id is None):
        env.problem("IGLOO_SIGNING_KEYS_FILE", "or IGLOO_SIGNING_KEYS_SECRET must be set, and not both")
    return SigningKeysSettings(
        file=None if file is None else Path(file),
        secret_id=secret_id,
        region=env.text("AWS_REGION", default="us-east-1"),
        generate=env.name != "production",
    )


def _oauth_clients(env: Environment) -> Mapping[str, tuple[str, ...]]:
    name = "IGLOO_OAUTH_CLIENTS"
    try:
        clients = orjson.loads(env.text(name, default="{}"))
        return {
            client_id: tuple(_redirect_uri(env, name, uri) for uri in uris)
            for client_id, uris in clients.items()
        }
    except (orjson.JSONDecodeError, AttributeError, TypeError):
        env.problem(name, 'must be a JSON object such as {"my-app": ["com.example.app:/signed-in"]}')
        return {}


def _redirect_uri(env: Environment, name: str, uri: object) -> str:
    """Check one entry of the allow-list (RFC 6749 section 3.1.2, RFC 8252 section 7)."""
    if not isinstance(uri, str):
        raise TypeError("a redirect URI is a text")
    parts = urlsplit(uri)
    if not parts.scheme or parts.fragment or "*" in uri or any(c.isspace() for c in uri):
        env.problem(name, "must name absolute redirect URIs, without fragment, wildcard or space")
    elif parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        env.problem(name, "must not name http redirect URIs on other hosts than loopback")
    elif parts.scheme not in ("http", "https") and "." not in parts.scheme:
        # RFC 8252 section 7.1: a scheme in reverse domain order belongs to whoever owns the domain.
        env.problem(name, "must name custom schemes in reverse domain order, such as com.example.app")
    return uri


def _rate_limits(env: Environment) -> RateLimits:
    def per_minute(name: str, default: int) -> int:
        return env.integer(name, default=default, minimum=1, maximum=1_000_000)

    return RateLimits(
        # Behind the address of a mobile carrier are thousands of phones: this one is only a last resort.
        tokens_per_address=per_minute("IGLOO_TOKENS_PER_ADDRESS", 600),
        refusals_per_address=per_minute("IGLOO_TOKEN_REFUSALS_PER_ADDRESS", 300),
        nonces_per_address=per_minute("IGLOO_NONCES_PER_ADDRESS", 120),
        web_sign_ins_per_address=per_minute("IGLOO_WEB_SIGN_INS_PER_ADDRESS", 120),
        sign_ins_per_identity=per_minute("IGLOO_SIGN_INS_PER_IDENTITY", 60),
        refreshes_per_session=per_minute("IGLOO_REFRESHES_PER_SESSION", 120),
    )
