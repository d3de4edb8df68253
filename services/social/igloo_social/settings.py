"""What the social service can be told from outside, read once at start."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from igloo_common.object_store import StorageSettings
from igloo_common.settings import CommonSettings, Environment

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR = 3600

# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
_APPLICATION = re.compile(r"arn:aws[a-z-]*:sns:([a-z0-9-]+):[0-9]{12}:app/([A-Z_]+)/[A-Za-z0-9_.-]{1,256}")
# Google's service was Cloud Messaging before it was Firebase's, and still is to SNS.
_APPLICATIONS = {
    "apns": ("IGLOO_PUSH_APNS_APPLICATION_ARN", "APNS"),
    "apns_sandbox": ("IGLOO_PUSH_APNS_SANDBOX_APPLICATION_ARN", "APNS_SANDBOX"),
    "fcm": ("IGLOO_PUSH_FCM_APPLICATION_ARN", "GCM"),
}


@dataclass(frozen=True, kw_only=True)
class PushSettings:
    """Which phones Amazon SNS reaches for us, and how it is reached itself."""

    applications: Mapping[str, str]
    """The ARN of the platform application by platform; to a phone of any other, nothing is pushed."""
    region: str
    endpoint: str | None
    """None is AWS itself."""
    access_key_id: str | None = field(repr=False)
    """None is the role of the task."""
    secret_access_key: str | None = field(repr=False)

    @classmethod
    def read(cls, env: Environment) -> Self:
        """Read `IGLOO_PUSH_*` and `IGLOO_SNS_*`."""
        region = env.text("IGLOO_SNS_REGION", default="us-east-1")
        key_id = env.optional_text("IGLOO_SNS_ACCESS_KEY_ID")
        secret = env.optional_text("IGLOO_SNS_SECRET_ACCESS_KEY")
        if (key_id is None) != (secret is None):
            env.problem("IGLOO_SNS_ACCESS_KEY_ID", "and IGLOO_SNS_SECRET_ACCESS_KEY must be set together")
        given = env.optional_text("IGLOO_SNS_ENDPOINT") is not None
        return cls(
            applications=_applications(env, region),
            region=region,
            endpoint=env.url("IGLOO_SNS_ENDPOINT", schemes=("http", "https")) if given else None,
            access_key_id=key_id,
            secret_access_key=secret,
        )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The social service's configuration."""

    common: CommonSettings
    storage: StorageSettings
    push: PushSettings
    address_ttl_seconds: int
    """How long a signed rendition address works at least."""
    address_round_seconds: int
    """Addresses signed within this span are the same text, so that phones and proxies can cache them."""
    reports_per_hour: int
    """How often one person may report something."""
    merged_from_followers: int
    """From so many followers on an account's posts are read by feeds, and not written to them any more."""

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
            push=PushSettings.read(env),
            address_ttl_seconds=env.integer(
                "IGLOO_ADDRESS_TTL_SECONDS", default=24 * HOUR, minimum=60, maximum=7 * 24 * HOUR
            ),
            address_round_seconds=env.integer(
                "IGLOO_ADDRESS_ROUND_SECONDS", default=HOUR, minimum=1, maximum=24 * HOUR
            ),
            reports_per_hour=env.integer("IGLOO_REPORTS_PER_HOUR", default=30, minimum=1, maximum=1_000_000),
            merged_from_followers=env.integer(
                "IGLOO_MERGED_FROM_FOLLOWERS", default=10_000, minimum=1, maximum=10_000_000
            ),
        )
        env.finish()
        return settings


def _applications(env: Environment, region: str) -> Mapping[str, str]:
    found = {}
    for platform, (name, kind) in _APPLICATIONS.items():
        arn = env.optional_text(name)
        if arn is None:
            continue
        parts = _APPLICATION.fullmatch(arn)
        if parts is None or parts.groups() != (region, kind):
            env.problem(
                name, f"must be the ARN of an SNS platform application for {kind} in IGLOO_SNS_REGION"
            )
        found[platform] = arn
    return found
