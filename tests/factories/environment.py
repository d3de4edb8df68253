"""A complete and valid environment for a service in a test."""

from __future__ import annotations

from factories.settings import INHERITED


def service_environ(service: str, *, database_url: str, **more: str) -> dict[str, str]:
    """Return every setting that a service needs to start.

    `more` names further ones in lower case and without IGLOO_; `migration_database_url` is the service's.
    """
    migration_url = more.pop("migration_database_url", database_url)
    prefix = f"IGLOO_{service.upper()}"
    return {
        **INHERITED,
        "IGLOO_ENV": "test",
        "SECRET_KEY": "a-test-key-that-opens-nothing-anywhere",
        f"{prefix}_DATABASE_URL": database_url,
        f"{prefix}_MIGRATION_DATABASE_URL": migration_url,
        "IGLOO_BROKER_URL": "filesystem:///nonexistent/igloo-broker",
        "IGLOO_JWT_ISSUER": "http://igloo.test",
        "IGLOO_JWKS_URL": "http://127.0.0.1:9/.well-known/jwks.json",
        "IGLOO_PUBLIC_URL": "http://igloo.test",
        "IGLOO_ADDRESS_SIGNING_KEYS": "an-address-signing-key-for-tests-only-1",
        "IGLOO_SIGNING_KEYS_FILE": "/nonexistent/signing-keys.json",
        "IGLOO_S3_ENDPOINT": "http://127.0.0.1:9",
        "IGLOO_S3_BUCKET": "igloo-test",
        "IGLOO_S3_REGION": "us-east-1",
        "IGLOO_S3_ACCESS_KEY_ID": "test",
        "IGLOO_S3_SECRET_ACCESS_KEY": "test-secret",
        "FACEBOOK_APP_ID": "1234567890",
        "FACEBOOK_APP_SECRET": "a-facebook-secret-that-opens-nothing",
        "IGLOO_FACEBOOK_GRAPH_URL": "http://127.0.0.1:9",
        "IGLOO_FACEBOOK_WEB_URL": "http://127.0.0.1:9",
        **{f"IGLOO_{name.upper()}": value for name, value in more.items()},
    }
