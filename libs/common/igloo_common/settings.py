"""Configuration of a process: the environment first, then the secrets files; every problem named at once."""

import os
import re
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Self, TypeVar, cast
from urllib.parse import SplitResult, quote, urlsplit

from igloo_common.secrets_files import merged, read_secrets, within

DAY_SECONDS: Final = 24 * 3600
EX_CONFIG: Final = 78  # sysexits.h: "something was found in an unconfigured or misconfigured state"

EnvironmentName = Literal["development", "test", "production"]
_ENVIRONMENTS = ("development", "test", "production")
_POSTGRES_SCHEMES = ("postgresql+psycopg", "postgresql", "postgres")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})

T = TypeVar("T")

# prometheus_client picks its multiprocess storage while it is being imported, long before any settings
# object exists; igloo_common imports this module before anything else.
METRICS_FOLDER: Final = os.environ.get("IGLOO_METRICS_FOLDER") or None
if METRICS_FOLDER is not None:
    Path(METRICS_FOLDER).mkdir(parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = METRICS_FOLDER


class ConfigurationError(Exception):
    """The process cannot start as configured; `problems` are one sentence each, naming the setting."""

    def __init__(self, problems: Collection[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Environment:
    """The only reader of the process environment and of the secrets files.

    Readers collect problems and return a placeholder, so that `finish` can name all of them together.
    """

    def __init__(
        self, environ: Mapping[str, str], secrets: Mapping[str, object], problems: list[str]
    ) -> None:
        self._environ = environ
        self._secrets = secrets
        self._problems = problems
        self.name = cast(
            EnvironmentName, self.text("IGLOO_ENV", default="development", choices=_ENVIRONMENTS)
        )

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, secrets_dir: Path | None = None) -> Self:
        """Read `base.json`, then `<environment>.json`, below what the environment says."""
        environ = os.environ if environ is None else environ
        folder = Path(".secrets") if secrets_dir is None else secrets_dir
        problems: list[str] = []
        secrets: Mapping[str, object] = {}
        for name in ("base", environ.get("IGLOO_ENV") or "development"):
            if name == "base" or name in _ENVIRONMENTS:
                secrets = merged(secrets, read_secrets(folder / f"{name}.json", problems))
        return cls(environ, secrets, problems)

    def problem(self, name: str, text: str) -> None:
        """Record that a setting is not acceptable; `text` never repeats the value, which may be a secret."""
        self._problems.append(f"{name} {text}")

    def finish(self) -> None:
        """Raise ConfigurationError with everything collected so far, if anything was."""
        if self._problems:
            raise ConfigurationError(tuple(dict.fromkeys(self._problems)))

    def optional_text(self, name: str) -> str | None:
        """Read a text; empty is the same as absent, as compose files pass unset variables as empty."""
        if value := self._environ.get(name):
            return value
        found = within(self._secrets, name)
        if found is None or found == "":
            return None
        if isinstance(found, bool | int | float | str):
            return str(found)
        self.problem(name, "must be a text in the secrets file")
        return None

    def text(self, name: str, *, default: str | None = None, choices: Collection[str] | None = None) -> str:
        """Read a text that must be there unless it has a default."""
        value = self.optional_text(name)
        if value is None and default is None:
            self.problem(name, "is not set")
            return ""
        chosen = value if value is not None else cast(str, default)
        if choices is not None and chosen not in choices:
            self.problem(name, f"must be one of {', '.join(choices)}")
        return chosen

    def secret(self, name: str, *, min_length: int = 32) -> str:
        """Read a secret of at least `min_length` characters."""
        value = self.optional_text(name)
        if value is None:
            self.problem(name, "is not set")
            return ""
        if len(value) < min_length:
            self.problem(name, f"must have at least {min_length} characters")
        return value

    def url(self, name: str, *, schemes: Collection[str], default: str | None = None) -> str:
        """Read an absolute URL of one of the schemes, without a trailing slash."""
        value = self.text(name, default=default)
        if value and not _is_url(value, schemes):
            self.problem(name, f"must be a URL that begins with {' or '.join(f'{s}://' for s in schemes)}")
        return value.rstrip("/")

    def integer(self, name: str, *, default: int, minimum: int, maximum: int) -> int:
        """Read a whole number within bounds, both included."""
        value = self.optional_text(name)
        if value is None:
            return default
        if _WHOLE_NUMBER.fullmatch(value) and minimum <= int(value) <= maximum:
            return int(value)
        self.problem(name, f"must be a whole number from {minimum} to {maximum}")
        return default

    def flag(self, name: str, *, default: bool) -> bool:
        """Read a yes or no."""
        value = (self.optional_text(name) or "").lower()
        if value and value not in _TRUE | _FALSE:
            self.problem(name, "must be true or false")
        return default if not value else value in _TRUE


@dataclass(frozen=True, kw_only=True)
class CommonSettings:
    """What every service is configured with; secrets stay out of its repr."""

    environment: EnvironmentName
    service: str
    secret_key: str = field(repr=False)
    database_url: str = field(repr=False)
    migration_database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    issuer: str
    audience: str
    jwks_url: str
    keys_kept_seconds: int
    """For how long a copy of auth's keys may be used that auth has not confirmed; 0 keeps none."""
    public_url: str
    address_signing_keys: tuple[str, ...] = field(repr=False)
    log_level: str
    bind_host: str
    worker_port: int
    metrics_folder: str | None
    threads: int

    @classmethod
    def read(cls, env: Environment, *, service: str, signs_addresses: bool = True) -> Self:
        """Read the settings of one service; `signs_addresses` is false where no rendition address is made."""
        database = _database_url(env, f"IGLOO_{service.upper()}_DATABASE_URL")
        public_url = env.url("IGLOO_PUBLIC_URL", schemes=("http", "https"))
        return cls(
            environment=env.name,
            service=service,
            secret_key=env.secret("SECRET_KEY"),
            database_url=database,
            migration_database_url=_migration_url(env, service, database),
            broker_url=env.url("IGLOO_BROKER_URL", schemes=("amqp", "amqps", "filesystem")),
            issuer=env.text("IGLOO_JWT_ISSUER", default=public_url),
            audience=env.text("IGLOO_JWT_AUDIENCE", default="igloo"),
            jwks_url=env.url(
                "IGLOO_JWKS_URL", schemes=("http", "https"), default=f"{public_url}/.well-known/jwks.json"
            ),
            keys_kept_seconds=env.integer(
                "IGLOO_KEYS_KEPT_SECONDS", default=DAY_SECONDS, minimum=0, maximum=7 * DAY_SECONDS
            ),
            public_url=public_url,
            address_signing_keys=_signing_keys(env) if signs_addresses else (),
            log_level=env.text("IGLOO_LOG_LEVEL", default="INFO", choices=LOG_LEVELS),
            bind_host=env.text("IGLOO_BIND_HOST", default="127.0.0.1"),
            worker_port=env.integer("IGLOO_WORKER_PORT", default=9000, minimum=0, maximum=65535),
            metrics_folder=env.optional_text("IGLOO_METRICS_FOLDER"),
            threads=env.integer("IGLOO_THREADS", default=4, minimum=1, maximum=64),
        )


def load_or_exit(load: Callable[[], T]) -> T:
    """Load settings, or print each problem on a line of its own and leave with EX_CONFIG."""
    try:
        return load()
    except ConfigurationError as error:
        sys.stderr.write("".join(f"configuration: {problem}\n" for problem in error.problems))
        raise SystemExit(EX_CONFIG) from error


def _database_url(env: Environment, name: str) -> str:
    if env.optional_text(name) is not None:
        return _with_driver(env.url(name, schemes=_POSTGRES_SCHEMES))
    if env.optional_text("DATABASES.default.HOST") is None:
        env.problem(name, "is not set (nor is DATABASES.default.HOST in the secrets files)")
        return ""
    part = {key: env.text(f"DATABASES.default.{key}") for key in ("HOST", "NAME", "USER", "PASSWORD")}
    port = env.integer("DATABASES.default.PORT", default=5432, minimum=1, maximum=65535)
    login = f"{quote(part['USER'], safe='')}:{quote(part['PASSWORD'], safe='')}"
    return f"postgresql+psycopg://{login}@{part['HOST']}:{port}/{quote(part['NAME'], safe='')}"


def _migration_url(env: Environment, service: str, database_url: str) -> str:
    name = f"IGLOO_{service.upper()}_MIGRATION_DATABASE_URL"
    if env.optional_text(name) is None:
        return database_url
    return _with_driver(env.url(name, schemes=_POSTGRES_SCHEMES))


def _with_driver(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if separator and scheme in _POSTGRES_SCHEMES else url


def _signing_keys(env: Environment) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in env.text("IGLOO_ADDRESS_SIGNING_KEYS").split(",") if key.strip())
    if any(len(key) < 32 for key in keys):  # noqa: PLR2004 -- as many characters as any other secret
        env.problem("IGLOO_ADDRESS_SIGNING_KEYS", "must be keys of at least 32 characters, comma separated")
    return keys


def _is_url(value: str, schemes: Collection[str]) -> bool:
    try:
        parts: SplitResult = urlsplit(value)
        _ = parts.port  # refuses what is not a port number
    except ValueError:
        return False
    has_place = bool(parts.path) if parts.scheme == "filesystem" else bool(parts.netloc)
    return parts.scheme in schemes and has_place and not any(c.isspace() for c in value)
