"""What holds for the service as a whole."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import pytest
from flask import Flask

from factories.databases import DatabaseUrls
from factories.environment import service_environ
from igloo_common.access import assert_every_operation_has_access
from igloo_common.settings import ConfigurationError
from igloo_media.images import limits
from igloo_media.policies import uploads
from igloo_media.settings import Settings


def flask(*words: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flask", "--app", "igloo_media.app", *words]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words


def test_every_operation_says_who_may_call_it(media_app: Flask) -> None:
    assert_every_operation_has_access(media_app)


def test_whatever_may_be_uploaded_may_be_opened() -> None:
    # One number in two layers, of which neither may know the other.
    assert limits.MAX_BYTES == uploads.MAX_FILE_BYTES


def test_migrations_and_models_agree(database_urls: Mapping[str, DatabaseUrls]) -> None:
    urls = database_urls["media"]
    environ = service_environ("media", database_url=urls.service, migration_database_url=urls.migration)

    checked = flask("db", "check", environ=environ)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert flask("db", "heads", environ=environ).stdout.count("(head)") == 1


def test_the_bucket_is_prepared_by_a_command(settings: Settings) -> None:
    environ = service_environ(
        "media",
        database_url=settings.common.database_url,
        s3_endpoint=settings.storage.endpoint or "",
        s3_access_key_id=settings.storage.access_key_id or "",
        s3_secret_access_key=settings.storage.secret_access_key or "",
        s3_bucket="igloo-by-command",
    )

    for _ in range(2):
        prepared = flask("storage", "prepare", environ=environ)
        assert (prepared.returncode, prepared.stdout) == (0, "bucket igloo-by-command is ready\n"), (
            prepared.stderr
        )


def test_every_bad_setting_is_named_at_once() -> None:
    environ = service_environ(
        "media", database_url="postgresql://u:p@127.0.0.1/igloo", image_wall_seconds="0"
    )
    del environ["IGLOO_S3_BUCKET"], environ["IGLOO_S3_SECRET_ACCESS_KEY"]
    environ["IGLOO_S3_PUBLIC_ENDPOINT"] = "photos"

    with pytest.raises(ConfigurationError) as refused:
        Settings.load(environ)

    named = "\n".join(refused.value.problems)
    for name in (
        "IGLOO_S3_BUCKET",
        "IGLOO_S3_ACCESS_KEY_ID",
        "IGLOO_S3_PUBLIC_ENDPOINT",
        "IGLOO_IMAGE_WALL_SECONDS",
    ):
        assert name in named


def test_a_badly_configured_process_starts_nothing() -> None:
    environ = service_environ("media", database_url="postgresql://u:p@127.0.0.1/igloo")
    del environ["IGLOO_S3_BUCKET"]
    command = [sys.executable, "-m", "igloo_media.worker"]

    ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words

    assert ended.returncode == 78
    assert ended.stderr == "configuration: IGLOO_S3_BUCKET is not set\n"
