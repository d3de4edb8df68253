"""The whole stack: starts, says where it is, mends itself, keeps everything, and ends whole."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from igloo_local.addresses import FILE_NAME, read_addresses
from igloo_local.errors import AlreadyRunning, StackError
from igloo_local.parts.postgres import Postgres
from igloo_local.phone import Phone, Refused, facebook_token
from igloo_local.ports import free_port
from igloo_local.stack import Stack
from igloo_local.waiting import wait_until


def facebook_token_of(stack: Stack, name: str) -> str:
    return facebook_token(stack.addresses.facebook, stack.addresses.facebook_app_id, name)


def signed_in(stack: Stack, name: str) -> Phone:
    phone = Phone(gateway=stack.addresses.gateway)
    phone.sign_in(facebook_token_of(stack, name))
    return phone


def records_of(folder: Path) -> list[Path]:
    return [*folder.rglob("*.process.json")]


def test_people_sign_in_and_read_through_the_gateway(stack: Stack) -> None:
    phone = signed_in(stack, "Puffin")

    def has_its_name() -> bool:
        return bool(phone.call("GET", "/v1/users/me")["display_name"] == "Puffin")

    assert phone.feed() == []
    wait_until(has_its_name, seconds=30, what="the name, which comes with the account's event")


def test_stack_json_says_where_everything_is_and_only_to_its_owner(stack: Stack) -> None:
    path = stack.folder / FILE_NAME
    found = read_addresses(stack.folder)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert found["gateway"] == stack.addresses.gateway
    assert set(found["services"]) == set(found["metrics"]) == {"auth", "social", "media"}
    assert {"auth-web", "auth-worker", "social-web", "media-worker", "postgres", "s3", "gateway"} <= set(
        found["pids"]
    )
    assert found["broker"].startswith("filesystem://")


def test_a_killed_worker_comes_back_under_another_id(stack: Stack) -> None:
    before = stack.processes["social-worker"].pid

    stack.processes["social-worker"].kill()

    def id_is_new() -> bool:
        return read_addresses(stack.folder)["pids"].get("social-worker") not in (before, None)

    wait_until(id_is_new, seconds=30, what="the worker's new process id in stack.json")


def test_a_part_that_was_stopped_can_be_started_again(stack: Stack) -> None:
    phone = signed_in(stack, "Walrus")
    stack.processes["social-web"].stop()
    with pytest.raises(Refused) as caught:
        phone.feed()

    stack.processes["social-web"].start()

    def feed_answers() -> bool:
        try:
            return phone.feed() == []
        except Refused:
            return False

    assert caught.value.status == 502
    wait_until(feed_answers, seconds=30, what="an answer of the web process that was started again")


def test_code_that_does_not_start_is_found_before_anything_is_stopped(stack: Stack) -> None:
    media, written = stack.parts.services["media"], stack.parts.gateway.folder / "nginx.conf"
    before, routed, good = [one.pid for one in media.processes], written.read_text(), media.environment
    media.environment = {**good, "IGLOO_S3_BUCKET": ""}

    with pytest.raises(StackError) as caught:
        stack.restart("media")
    media.environment = good

    assert any("IGLOO_S3_BUCKET" in line for line in caught.value.log_lines)
    assert [one.pid for one in media.processes] == before
    assert written.read_text() == routed


def test_a_service_that_there_is_not_cannot_be_restarted(stack: Stack) -> None:
    with pytest.raises(StackError, match="there is no service walrus; there are auth, social, media"):
        stack.restart("walrus")


def test_a_second_run_in_the_same_folder_is_told_where_the_first_one_is(stack: Stack) -> None:
    with pytest.raises(AlreadyRunning, match=f"already running at {stack.addresses.gateway}"):
        Stack(stack.folder, broker="filesystem").start()

    assert signed_in(stack, "Lemming").feed() == []


def test_everything_survives_a_kill_of_every_process(stack: Stack) -> None:
    token = facebook_token_of(stack, "Beluga")
    phone = Phone(gateway=stack.addresses.gateway)
    phone.sign_in(token)
    phone.call("PATCH", "/v1/users/me", json={"username": "beluga_that_stays"})
    port = stack.parts.gateway.port

    stack.kill()
    with Stack(stack.folder, broker="filesystem", gateway_port=port) as again:
        returned = Phone(gateway=again.addresses.gateway)
        returned.sign_in(token)
        profile = returned.call("GET", "/v1/users/me")

    assert returned.user_id == phone.user_id
    assert profile["username"] == "beluga_that_stays"
    assert again.addresses.gateway == stack.addresses.gateway
    assert records_of(stack.folder) == []
    assert not (stack.folder / FILE_NAME).exists()


def test_a_start_that_fails_says_why_and_leaves_nothing_running(tmp_path: Path) -> None:
    broken = Stack(
        tmp_path,
        broker="filesystem",
        gateway_port=free_port(),
        given={"IGLOO_ADDRESS_TTL_SECONDS": "soon"},
    )

    with pytest.raises(StackError) as caught:
        broken.start()

    assert any("IGLOO_ADDRESS_TTL_SECONDS must be a whole number" in line for line in caught.value.log_lines)
    assert records_of(tmp_path) == []


def test_a_given_database_takes_the_place_of_ours(tmp_path: Path) -> None:
    with Postgres(tmp_path / "elsewhere") as server:
        given = {
            f"IGLOO_{name.upper()}_{kind}DATABASE_URL": url(name)
            for name in ("auth", "social", "media")
            for kind, url in (("", server.service_url), ("MIGRATION_", server.migration_url))
        }
        local = tmp_path / "local"
        with Stack(local, broker="filesystem", gateway_port=free_port(), given=given) as stack:
            phone = signed_in(stack, "Narwhal")
            with server.connect(database="igloo") as connection:
                found = connection.execute("SELECT count(*) FROM auth.accounts").fetchone()

    assert phone.user_id is not None
    assert "postgres" not in stack.processes
    assert not (local / "postgres").exists()
    assert found == (1,)


def test_a_path_that_nginx_cannot_take_is_named(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="take no path with blanks"):
        Stack(tmp_path / "with blank", broker="filesystem").start()

    assert [*tmp_path.iterdir()] == []
