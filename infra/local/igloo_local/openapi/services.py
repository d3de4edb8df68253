"""Each service's own document, asked of its application in this process; nothing is started."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from flask import Flask

from igloo_auth.app import create_app as create_auth
from igloo_auth.settings import Settings as AuthSettings
from igloo_media.app import create_app as create_media
from igloo_media.settings import Settings as MediaSettings
from igloo_social.app import create_app as create_social
from igloo_social.settings import Settings as SocialSettings

Json = dict[str, Any]

# Nothing answers at these addresses, and nobody asks them: a document needs no database.
_NOWHERE = "127.0.0.1:9"
_ANY_SECRET = "a-secret-that-protects-nothing-at-all"  # noqa: S105 - it protects nothing


def service_documents() -> dict[str, Json]:
    """Return the OpenAPI document of auth, social and media."""
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(Path(folder))
        applications = {
            "auth": create_auth(AuthSettings.load(environment)),
            "social": create_social(SocialSettings.load(environment)),
            "media": create_media(MediaSettings.load(environment)),
        }
        return {name: _document(application) for name, application in applications.items()}


def _document(application: Flask) -> Json:
    response = application.test_client().get("/openapi.json")
    document: Json = response.get_json()
    return document


def _environment(folder: Path) -> dict[str, str]:
    databases = {
        f"IGLOO_{service}_DATABASE_URL": f"postgresql://nobody:nothing@{_NOWHERE}/igloo"
        for service in ("AUTH", "SOCIAL", "MEDIA")
    }
    return {
        **databases,
        "IGLOO_ENV": "development",
        "IGLOO_LOG_LEVEL": "ERROR",
        "SECRET_KEY": _ANY_SECRET,
        "IGLOO_ADDRESS_SIGNING_KEYS": _ANY_SECRET,
        "IGLOO_BROKER_URL": f"amqp://{_NOWHERE}/",
        "IGLOO_PUBLIC_URL": f"http://{_NOWHERE}",
        "IGLOO_SIGNING_KEYS_FILE": str(folder / "signing_keys.json"),
        "FACEBOOK_APP_ID": "1",
        "FACEBOOK_APP_SECRET": _ANY_SECRET,
        "IGLOO_S3_ENDPOINT": f"http://{_NOWHERE}",
        "IGLOO_S3_BUCKET": "igloo",
        "IGLOO_S3_ACCESS_KEY_ID": "nobody",
        "IGLOO_S3_SECRET_ACCESS_KEY": _ANY_SECRET,
    }
