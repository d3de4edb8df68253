"""Which platform applications are taken for ones, and what is said of those that are not."""

from __future__ import annotations

import pytest

from factories.environment import service_environ
from igloo_common.settings import ConfigurationError
from igloo_social.settings import PushSettings, Settings

APPLE = "arn:aws:sns:ap-northeast-2:123456789012:app/APNS/igloo"
GOOGLE = "arn:aws:sns:ap-northeast-2:123456789012:app/GCM/igloo"


def load(**settings: str) -> PushSettings:
    environ = service_environ("social", database_url="postgresql://social@127.0.0.1:9/igloo", **settings)
    return Settings.load(environ).push


def test_without_settings_nothing_can_be_pushed() -> None:
    settings = load()

    assert (settings.applications, settings.endpoint, settings.region) == ({}, None, "us-east-1")


def test_each_platform_has_its_application() -> None:
    settings = load(
        push_apns_application_arn=APPLE,
        push_apns_sandbox_application_arn=APPLE.replace("APNS", "APNS_SANDBOX"),
        push_fcm_application_arn=GOOGLE,
        sns_region="ap-northeast-2",
        sns_endpoint="http://127.0.0.1:9/",
        sns_access_key_id="an-id",
        sns_secret_access_key="a-secret-key",
    )

    assert list(settings.applications) == ["apns", "apns_sandbox", "fcm"]
    assert (settings.applications["fcm"], settings.endpoint) == (GOOGLE, "http://127.0.0.1:9")
    assert "a-secret-key" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("push_fcm_application_arn", APPLE),
        ("push_apns_application_arn", "igloo"),
        ("push_apns_application_arn", APPLE.replace("ap-northeast-2", "us-east-1")),
        ("push_apns_application_arn", APPLE.replace("app/", "endpoint/")),
        ("push_apns_application_arn", f"{APPLE}\n"),
        ("push_apns_sandbox_application_arn", APPLE),
        ("sns_endpoint", "sns.example"),
        ("sns_access_key_id", "alone"),
        ("sns_secret_access_key", "alone"),
    ],
)
def test_what_cannot_work_is_named_and_nothing_starts(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"IGLOO_(PUSH|SNS)_[A-Z_]+ ") as refused:
        load(**{"sns_region": "ap-northeast-2", name: value})

    assert len(refused.value.problems) == 1
