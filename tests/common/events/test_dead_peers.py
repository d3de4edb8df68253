"""Both ends of a database connection notice in half a minute that the other is gone without a word."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from factories.event_rooms import environ_of
from factories.event_services import event_app
from igloo_common.database import current_engine
from igloo_common.listening import own_connection
from igloo_local.parts.postgres import Postgres


@pytest.fixture
def connection(event_database: Postgres, tmp_path: Path) -> Iterator[psycopg.Connection[Any]]:
    """Open a connection as the relay has one."""
    app, _ = event_app(
        environ_of(event_database, f"filesystem://{tmp_path}", service="social"), service="social"
    )
    with app.app_context(), own_connection(current_engine()) as connection:
        yield connection


def test_a_process_does_not_wait_for_hours_for_a_database_that_is_gone(
    connection: psycopg.Connection[Any],
) -> None:
    with socket.socket(fileno=os.dup(connection.fileno())) as link:
        assert link.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
        assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 5
        assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 3
        assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 25_000


def test_the_database_does_not_keep_the_locks_of_a_process_that_is_gone_for_hours(
    connection: psycopg.Connection[Any],
) -> None:
    settings = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")

    told = [connection.execute(f"SHOW {setting}").fetchone() for setting in settings]

    assert told == [("10",), ("5",), ("3",), ("25000",)]
