"""Bad configuration of the local stack is named, and nothing is started with it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from igloo_local.cli import EX_CONFIG, main
from igloo_local.errors import StackError
from igloo_local.given import check_given_places, host_and_port
from igloo_local.ports import free_port
from igloo_local.settings import ConfigurationError, LocalSettings


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"IGLOO_PORT": "abc"}, "IGLOO_PORT must be a whole number"),
        ({"IGLOO_PORT": "70000"}, "IGLOO_PORT must be a whole number"),
        ({"IGLOO_BROKER": "kafka"}, "IGLOO_BROKER must be one of auto, rabbitmq, filesystem"),
        ({"IGLOO_BROKER_URL": "nonsense"}, "IGLOO_BROKER_URL must be a URL"),
        ({"IGLOO_SOCIAL_DATABASE_URL": "mysql://127.0.0.1/igloo"}, "IGLOO_SOCIAL_DATABASE_URL must be a URL"),
        ({"IGLOO_S3_ENDPOINT": "s3.local"}, "IGLOO_S3_ENDPOINT must be a URL"),
        ({"IGLOO_S3_ENDPOINT": "http://127.0.0.1:9"}, "IGLOO_S3_BUCKET is not set"),
        ({"IGLOO_FACEBOOK_GRAPH_URL": "http://127.0.0.1:9"}, "FACEBOOK_APP_ID is not set"),
        ({"IGLOO_ENV": "production"}, "IGLOO_ENV is production"),
    ],
)
def test_a_bad_setting_is_named(environ: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        LocalSettings.load(environ)


def test_all_bad_settings_are_named_together() -> None:
    with pytest.raises(ConfigurationError) as caught:
        LocalSettings.load({"IGLOO_PORT": "abc", "IGLOO_BROKER": "kafka"})

    assert len(caught.value.problems) == 2


def test_settings_of_services_pass_through_and_those_of_the_stack_do_not() -> None:
    settings = LocalSettings.load(
        {
            "IGLOO_ACCESS_TOKEN_SECONDS": "30",
            "IGLOO_PORT": "9000",
            "IGLOO_WEB_BIND": "0.0.0.0:1",
            "HOME": "/x",
        }
    )

    assert settings.given == {"IGLOO_ACCESS_TOKEN_SECONDS": "30"}
    assert settings.gateway_port == 9000


def test_the_command_line_ends_with_the_status_for_bad_configuration_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IGLOO_LOCAL_DIR", str(tmp_path / "local"))
    monkeypatch.setenv("IGLOO_PORT", "abc")

    assert main(["run"]) == EX_CONFIG

    assert capsys.readouterr().err == "igloo: IGLOO_PORT must be a whole number from 1 to 65535\n"
    assert os.listdir(tmp_path) == []


def test_a_given_address_where_nobody_listens_is_named() -> None:
    nowhere = f"amqp://127.0.0.1:{free_port()}"

    with pytest.raises(StackError, match=r"IGLOO_BROKER_URL: nobody listens at 127\.0\.0\.1"):
        check_given_places({"IGLOO_BROKER_URL": nowhere, "IGLOO_LOG_LEVEL": "INFO"})


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("amqp://broker", ("broker", 5672)),
        ("https://s3.example", ("s3.example", 443)),
        ("postgresql+psycopg://u:p@db/igloo", ("db", 5432)),
        ("http://127.0.0.1:8333", ("127.0.0.1", 8333)),
    ],
)
def test_a_place_is_read_from_a_url(url: str, place: tuple[str, int]) -> None:
    assert host_and_port(url) == place
