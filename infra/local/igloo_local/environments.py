"""What each service is told: given settings first, then the parts that this stack runs."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from igloo_local.parts.facebook import Facebook
from igloo_local.parts.postgres import Postgres
from igloo_local.parts.seaweed import Seaweed
from igloo_local.secret_values import SecretValues

BUCKET = "igloo-media"
REGION = "us-east-1"
DEMO_CLIENT = "igloo-demo"
NATIVE_CLIENT = "igloo-phone"
# The three kinds of RFC 8252: loopback with any port, a scheme of our own, and a claimed https address.
NATIVE_REDIRECT_URIS = [
    "http://127.0.0.1/signed-in",
    "http://[::1]/signed-in",
    "com.example.igloo:/signed-in",
    "https://igloo.example.com/signed-in",
]


def shared_environment(
    *, gateway: str, jwks_url: str, broker_url: str, secret_values: SecretValues, given: Mapping[str, str]
) -> dict[str, str]:
    """Return what all services are told alike; a given setting wins over ours."""
    ours = {
        "IGLOO_ENV": "development",
        "SECRET_KEY": secret_values.secret_key,
        "IGLOO_ADDRESS_SIGNING_KEYS": secret_values.address_signing_key,
        "IGLOO_BROKER_URL": broker_url,
        "IGLOO_PUBLIC_URL": gateway,
        "IGLOO_JWT_ISSUER": gateway,
        "IGLOO_JWKS_URL": jwks_url,
    }
    return {**ours, **given}


def database_environment(service: str, postgres: Postgres | None) -> dict[str, str]:
    """Return where the service's tables are; nothing when a database was given for it."""
    if postgres is None:
        return {}
    return {
        f"IGLOO_{service.upper()}_DATABASE_URL": postgres.service_url(service),
        f"IGLOO_{service.upper()}_MIGRATION_DATABASE_URL": postgres.migration_url(service),
    }


def auth_environment(folder: Path, facebook: Facebook | None, *, gateway: str) -> dict[str, str]:
    """Return what only auth is told; `folder` is where its signing keys live."""
    clients = {DEMO_CLIENT: [f"{gateway}/"], NATIVE_CLIENT: NATIVE_REDIRECT_URIS}
    ours = {
        "IGLOO_SIGNING_KEYS_FILE": str(folder / "signing_keys.json"),
        "IGLOO_OAUTH_CLIENTS": json.dumps(clients),
        # Everybody at this machine shares one address, where in production it would be a thousand.
        "IGLOO_TOKENS_PER_ADDRESS": "60000",
    }
    if facebook is None:
        return ours
    app_id, secret = facebook.app
    return {
        **ours,
        "FACEBOOK_APP_ID": app_id,
        "FACEBOOK_APP_SECRET": secret,
        "IGLOO_FACEBOOK_GRAPH_URL": facebook.url,
        "IGLOO_FACEBOOK_WEB_URL": facebook.url,
    }


def media_environment(*, purge_url: str) -> dict[str, str]:
    """Return what only media is told."""
    return {
        # Photos are the stack's only heavy work; on a laptop they may use what there is, up to a point.
        "IGLOO_IMAGE_LANES": str(min(os.cpu_count() or 1, 4)),
        "IGLOO_GATEWAY_PURGE_URLS": purge_url,
    }


def storage_environment(seaweed: Seaweed | None) -> dict[str, str]:
    """Return where objects are kept; nothing when an S3 was given."""
    if seaweed is None:
        return {}
    key_id, secret = seaweed.credentials
    return {
        "IGLOO_S3_ENDPOINT": seaweed.url,
        "IGLOO_S3_PUBLIC_ENDPOINT": seaweed.url,
        "IGLOO_S3_BUCKET": BUCKET,
        "IGLOO_S3_REGION": REGION,
        "IGLOO_S3_ACCESS_KEY_ID": key_id,
        "IGLOO_S3_SECRET_ACCESS_KEY": secret,
    }
