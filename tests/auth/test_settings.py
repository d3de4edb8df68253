"""What stops the auth service from starting."""

from __future__ import annotations

import contextlib
import os

import pytest

from factories.environment import service_environ
from igloo_auth.settings import Settings
from igloo_common.settings import ConfigurationError


def environ(**different: str) -> dict[str, str]:
    """Return a valid environment with some settings changed."""
    return {**service_environ("auth", database_url="postgresql://nobody@127.0.0.1:9/igloo"), **different}


@pytest.mark.parametrize(
    "graph_url",
    [
        "http://127.0.0.1:9000",
        "http://graph.facebook.com",
        "https://graph.facebook.com.example.org",
        "https://notfacebook.com",
        "https://facebook.com@example.org",
    ],
)
def test_production_refuses_whoever_is_not_facebook(graph_url: str) -> None:
    with pytest.raises(ConfigurationError) as failure:
        Settings.load(environ(IGLOO_ENV="production", IGLOO_FACEBOOK_GRAPH_URL=graph_url))

    assert any(problem.startswith("IGLOO_FACEBOOK_GRAPH_URL") for problem in failure.value.problems)


def test_production_takes_facebook_and_makes_no_keys_of_its_own() -> None:
    settings = Settings.load(
        environ(
            IGLOO_ENV="production",
            IGLOO_FACEBOOK_GRAPH_URL="https://graph.facebook.com",
            IGLOO_FACEBOOK_WEB_URL="https://www.facebook.com",
        )
    )

    assert settings.facebook.graph_url == "https://graph.facebook.com"
    assert settings.signing_keys.generate is False


def test_everything_that_is_missing_is_named_together() -> None:
    names = ("FACEBOOK_APP_ID", "FACEBOOK_APP_SECRET", "IGLOO_SIGNING_KEYS_FILE", "SECRET_KEY")
    incomplete = {name: value for name, value in environ().items() if name not in names}

    with pytest.raises(ConfigurationError) as failure:
        Settings.load(incomplete)

    for name in names:
        assert any(problem.startswith(name) for problem in failure.value.problems), name


def test_an_access_token_never_lives_longer_than_ten_minutes() -> None:
    with pytest.raises(ConfigurationError, match="IGLOO_ACCESS_TOKEN_SECONDS"):
        Settings.load(environ(IGLOO_ACCESS_TOKEN_SECONDS="601"))


def test_secrets_stay_out_of_what_is_printed() -> None:
    settings = Settings.load(environ())

    assert settings.facebook.app_secret not in repr(settings)


@pytest.mark.parametrize(
    ("environment", "graph_url", "expected"),
    [
        ("test", "http://127.0.0.1:9000", "1"),
        ("development", "http://127.0.0.1:9000", "1"),
        ("development", "https://graph.facebook.com", None),
        ("production", "http://127.0.0.1:9000", None),
        ("production", "https://graph.facebook.com", None),
    ],
)
def test_only_to_a_stand_in_may_the_app_secret_go_without_tls(
    monkeypatch: pytest.MonkeyPatch, environment: str, graph_url: str, expected: str | None
) -> None:
    monkeypatch.delenv("OAUTHLIB_INSECURE_TRANSPORT", raising=False)

    with contextlib.suppress(ConfigurationError):
        Settings.load(environ(IGLOO_ENV=environment, IGLOO_FACEBOOK_GRAPH_URL=graph_url))

    assert os.environ.get("OAUTHLIB_INSECURE_TRANSPORT") == expected  # noqa: TID251 - what oauthlib reads
