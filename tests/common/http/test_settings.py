from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from factories.environment import service_environ
from igloo_common.settings import CommonSettings, ConfigurationError, Environment, load_or_exit

DATABASE = "postgresql://u:p@127.0.0.1:5432/igloo"
SECRET = "a-secret-that-is-long-enough-to-be-one"


def read(folder: Path, environ: dict[str, str]) -> CommonSettings:
    env = Environment.load(environ, folder)
    settings = CommonSettings.read(env, service="media")
    env.finish()
    return settings


def problems_of(folder: Path, environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        read(folder, environ)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def complete(**changes: str) -> dict[str, str]:
    return {**service_environ("media", database_url=DATABASE), **changes}


def secrets_file(folder: Path, name: str, content: object) -> None:
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))


def test_a_complete_environment_is_read(tmp_path: Path) -> None:
    settings = read(tmp_path, complete(IGLOO_THREADS="8"))

    assert settings.environment == "test"
    assert settings.service == "media"
    assert settings.database_url == "postgresql+psycopg://u:p@127.0.0.1:5432/igloo"
    assert settings.threads == 8
    assert settings.audience == "igloo"


def test_everything_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    problems = "\n".join(problems_of(tmp_path, {}))

    for name in (
        "SECRET_KEY",
        "IGLOO_MEDIA_DATABASE_URL",
        "IGLOO_BROKER_URL",
        "IGLOO_PUBLIC_URL",
        "IGLOO_ADDRESS_SIGNING_KEYS",
    ):
        assert f"{name} is not set" in problems


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IGLOO_ENV", "staging"),
        ("SECRET_KEY", "short"),
        ("IGLOO_MEDIA_DATABASE_URL", "mysql://u:hidden-word@h/d"),
        ("IGLOO_MEDIA_DATABASE_URL", "postgresql://u:hidden-word@h:port/d"),
        ("IGLOO_MEDIA_DATABASE_URL", "hidden-word"),
        ("IGLOO_MEDIA_MIGRATION_DATABASE_URL", "hidden-word"),
        ("IGLOO_BROKER_URL", "redis://h"),
        ("IGLOO_BROKER_URL", "filesystem://"),
        ("IGLOO_PUBLIC_URL", "igloo.example"),
        ("IGLOO_PUBLIC_URL", "https://"),
        ("IGLOO_JWKS_URL", "ftp://h"),
        ("IGLOO_LOG_LEVEL", "LOUD"),
        ("IGLOO_THREADS", "0"),
        ("IGLOO_THREADS", "four"),
        ("IGLOO_THREADS", "--5"),
        ("IGLOO_THREADS", "\u0664"),
        ("IGLOO_WORKER_PORT", "65536"),
        ("IGLOO_WORKER_PORT", "9" * 5000),
        ("IGLOO_ADDRESS_SIGNING_KEYS", "short,another-short"),
    ],
)
def test_a_bad_value_is_one_problem_that_names_the_setting_and_hides_the_value(
    tmp_path: Path, name: str, value: str
) -> None:
    problems = problems_of(tmp_path, complete(**{name: value}))

    assert [problem.split()[0] for problem in problems] == [name]
    assert "hidden-word" not in problems[0]


def test_an_empty_value_is_the_same_as_none(tmp_path: Path) -> None:
    assert problems_of(tmp_path, complete(SECRET_KEY="")) == ("SECRET_KEY is not set",)


def test_secrets_come_from_files_and_the_environment_wins(tmp_path: Path) -> None:
    environ = complete(SECRET_KEY="", IGLOO_MEDIA_DATABASE_URL="", IGLOO_MEDIA_MIGRATION_DATABASE_URL="")
    database = {"HOST": "db", "NAME": "igloo", "USER": "base", "PASSWORD": "p@ss/word", "PORT": 6543}
    secrets_file(tmp_path, "base.json", {"SECRET_KEY": "base" * 10, "DATABASES": {"default": database}})
    secrets_file(
        tmp_path, "test.json", {"SECRET_KEY": SECRET, "DATABASES": {"default": {"USER": "of-the-test"}}}
    )

    from_files = read(tmp_path, environ)
    from_environment = read(tmp_path, complete())

    assert from_files.secret_key == SECRET
    assert from_files.database_url == "postgresql+psycopg://of-the-test:p%40ss%2Fword@db:6543/igloo"
    assert from_files.migration_database_url == from_files.database_url
    assert from_environment.secret_key == service_environ("media", database_url=DATABASE)["SECRET_KEY"]
    assert from_environment.database_url.endswith("/igloo")


def test_files_of_other_environments_are_not_read(tmp_path: Path) -> None:
    secrets_file(tmp_path, "production.json", {"SECRET_KEY": SECRET})

    assert problems_of(tmp_path, complete(SECRET_KEY="")) == ("SECRET_KEY is not set",)


@pytest.mark.parametrize("content", ["{", "[]", "", "\x00"])
def test_a_malformed_file_is_a_problem_that_names_the_file(tmp_path: Path, content: str) -> None:
    secrets_file(tmp_path, "base.json", content)

    problems = problems_of(tmp_path, complete())

    assert len(problems) == 1
    assert "base.json" in problems[0]


def test_a_part_of_the_database_that_is_missing_is_named(tmp_path: Path) -> None:
    secrets_file(tmp_path, "base.json", {"DATABASES": {"default": {"HOST": "db", "NAME": ["igloo"]}}})
    problems = "\n".join(
        problems_of(tmp_path, complete(IGLOO_MEDIA_DATABASE_URL="", IGLOO_MEDIA_MIGRATION_DATABASE_URL=""))
    )

    for part in ("NAME", "USER", "PASSWORD"):
        assert f"DATABASES.default.{part}" in problems


def test_secrets_stay_out_of_the_repr(tmp_path: Path) -> None:
    shown = repr(read(tmp_path, complete(IGLOO_BROKER_URL="amqp://u:broker-word@h")))

    for secret in ("a-test-key", "u:p@", "broker-word", "address-signing"):
        assert secret not in shown


def test_a_service_that_signs_no_addresses_needs_no_keys(tmp_path: Path) -> None:
    env = Environment.load(complete(IGLOO_ADDRESS_SIGNING_KEYS=""), tmp_path)

    assert CommonSettings.read(env, service="media", signs_addresses=False).address_signing_keys == ()
    env.finish()


def test_signing_keys_are_several(tmp_path: Path) -> None:
    keys = "new-key" * 5, "old-key" * 5

    settings = read(tmp_path, complete(IGLOO_ADDRESS_SIGNING_KEYS=", ".join(keys)))

    assert settings.address_signing_keys == keys


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("TRUE", True), ("no", False), ("off", False), ("", True)]
)
def test_a_flag_is_yes_or_no(value: str, expected: bool) -> None:
    env = Environment.load({"FLAG": value})

    assert env.flag("FLAG", default=True) is expected
    env.finish()


def test_a_flag_of_another_kind_is_a_problem() -> None:
    env = Environment.load({"FLAG": "perhaps"})
    env.flag("FLAG", default=True)

    with pytest.raises(ConfigurationError, match="FLAG"):
        env.finish()


def test_a_process_with_bad_configuration_says_why_and_exits_78(capsys: pytest.CaptureFixture[str]) -> None:
    def load() -> None:
        raise ConfigurationError(["A is not set", "B must be a number"])

    assert exit_code(lambda: load_or_exit(load)) == 78
    assert capsys.readouterr().err == "configuration: A is not set\nconfiguration: B must be a number\n"


def exit_code(run: Callable[[], object]) -> object:
    with pytest.raises(SystemExit) as left:
        run()
    return left.value.code
