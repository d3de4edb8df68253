"""What the local stack reads from the environment: the only reader of it in this package."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from igloo_common.settings import ConfigurationError, Environment
from igloo_local.source import ROOT

__all__ = ["ConfigurationError", "LocalSettings", "inherited_environment"]

BROKERS = ("auto", "rabbitmq", "filesystem")
_HTTP = ("http", "https")
_POSTGRES = ("postgresql+psycopg", "postgresql", "postgres")
_DATABASE = re.compile(r"IGLOO_(AUTH|SOCIAL|MEDIA)_(MIGRATION_)?DATABASE_URL")
# The stack decides these for each process; one from the shell would reach all of them alike.
_DECIDED_BY_STACK = frozenset({"IGLOO_PORT", "IGLOO_LOCAL_DIR", "IGLOO_BROKER", "IGLOO_WEB_BIND"} | {
    "IGLOO_WORKER_PORT", "IGLOO_METRICS_FOLDER", "IGLOO_BIND_HOST", "IGLOO_PUBLIC_URL", "IGLOO_JWKS_URL"
})  # fmt: skip
# What configures igloo or one of its parts reaches children through the stack alone, or not at all.
_OWN_PREFIXES = (
    "IGLOO_",
    "FACEBOOK_",
    "SECRET_KEY",
    "RABBITMQ_",
    "ERL_",
    "PG",
    "FLASK_",
    "GUNICORN_",
    "AWS_",
)


@dataclass(frozen=True, kw_only=True)
class LocalSettings:
    """How this run differs from the usual one."""

    folder: Path = ROOT / ".local"
    gateway_port: int | None = None
    """None takes the usual port, or the next free one."""
    broker: str = "auto"
    given: Mapping[str, str] = field(default_factory=dict)
    """Settings of the services that were given from outside; an address among them replaces a part."""

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read and check everything.

        Raises:
            ConfigurationError: with every problem, each naming its setting.
        """
        environ = os.environ if environ is None else environ
        # The secrets files configure services that run by themselves; the stack makes its own secrets.
        env = Environment.load(environ, secrets_dir=Path("/nonexistent"))
        settings = cls(
            folder=Path(env.text("IGLOO_LOCAL_DIR", default=str(ROOT / ".local"))).absolute(),
            gateway_port=env.integer("IGLOO_PORT", default=0, minimum=1, maximum=65_535) or None,
            broker=env.text("IGLOO_BROKER", default="auto", choices=BROKERS),
            given={
                name: value
                for name, value in environ.items()
                if name.startswith(("IGLOO_", "FACEBOOK_")) and value and name not in _DECIDED_BY_STACK
            },
        )
        _check_given(env, settings.given)
        env.finish()
        return settings


def inherited_environment() -> dict[str, str]:
    """Return the environment of every child: the shell's, without what configures igloo or its parts."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OWN_PREFIXES)}


def _check_given(env: Environment, given: Mapping[str, str]) -> None:
    if env.name == "production":
        env.problem("IGLOO_ENV", "is production, and the local stack is for development and tests")
    for name in given:
        if _DATABASE.fullmatch(name):
            env.url(name, schemes=_POSTGRES)
    if "IGLOO_BROKER_URL" in given:
        env.url("IGLOO_BROKER_URL", schemes=("amqp", "amqps", "filesystem"))
    for name in ("IGLOO_S3_ENDPOINT", "IGLOO_S3_PUBLIC_ENDPOINT", "IGLOO_FACEBOOK_GRAPH_URL"):
        if name in given:
            env.url(name, schemes=_HTTP)
    if "IGLOO_S3_ENDPOINT" in given:
        env.text("IGLOO_S3_BUCKET")
    if "IGLOO_FACEBOOK_GRAPH_URL" in given:
        env.text("FACEBOOK_APP_ID")
        env.secret("FACEBOOK_APP_SECRET")
