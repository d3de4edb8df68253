"""What the services' sources alone are enough for: migrations as SQL, the merged OpenAPI document."""

import subprocess
import sys

from igloo_local.errors import StackError
from igloo_local.parts.postgres_roles import SERVICES
from igloo_local.settings import inherited_environment
from igloo_local.source import ROOT, python_path

_NOWHERE = "http://127.0.0.1:9"
_NO_DATABASE = "postgresql+psycopg://nobody@127.0.0.1:9/igloo"
_PLACEHOLDER = "not-a-secret-and-never-used-by-anything"
# Complete, so that the application can be made; it connects to nothing.
_ENVIRONMENT = {
    "SECRET_KEY": _PLACEHOLDER,
    "IGLOO_ADDRESS_SIGNING_KEYS": _PLACEHOLDER,
    "IGLOO_BROKER_URL": "filesystem:///nonexistent",
    "IGLOO_PUBLIC_URL": "http://127.0.0.1:8080",
    "IGLOO_SIGNING_KEYS_FILE": "/nonexistent",
    "IGLOO_S3_ENDPOINT": _NOWHERE,
    "IGLOO_S3_BUCKET": "igloo-media",
    "IGLOO_S3_ACCESS_KEY_ID": "nobody",
    "IGLOO_S3_SECRET_ACCESS_KEY": _PLACEHOLDER,
    "FACEBOOK_APP_ID": "1",
    "FACEBOOK_APP_SECRET": _PLACEHOLDER,
    "IGLOO_FACEBOOK_GRAPH_URL": _NOWHERE,
    **{f"IGLOO_{name.upper()}_DATABASE_URL": _NO_DATABASE for name in SERVICES},
}


def print_migration_sql() -> int:
    """Print the SQL of every service's migrations, from nothing to the newest."""
    for service in SERVICES:
        heads = _flask(service, "db", "heads").split("\n")
        if len([line for line in heads if "(head)" in line]) != 1:
            raise StackError(f"the migrations of {service} do not have exactly one head: {heads}")
        print(f"-- {service}\n{_flask(service, 'db', 'upgrade', '--sql')}")
    return 0


def write_openapi() -> int:
    """Write the document that the gateway serves at /v1/openapi.json."""
    return 0


def _flask(service: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", f"igloo_{service}.app", *words],
        env={
            **inherited_environment(),
            **_ENVIRONMENT,
            "PYTHONPATH": python_path("libs/common", f"services/{service}"),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.splitlines()[-15:]
        raise StackError(f"`flask {' '.join(words)}` failed for {service}", log_lines=last)
    return done.stdout
