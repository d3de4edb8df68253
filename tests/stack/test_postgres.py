"""PostgreSQL keeps its data through a kill, and its roles apart."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from igloo_local.parts.postgres import Postgres


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Postgres:
    """Name a folder for a cluster of this module's own; the tests start and stop it."""
    return Postgres(tmp_path_factory.mktemp("cluster"))


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def test_a_service_reads_its_own_schema_and_no_other(cluster: Postgres) -> None:
    with cluster:
        with connect(cluster.migration_url("social")) as owner:
            owner.execute("CREATE TABLE IF NOT EXISTS things (name text)")
        with connect(cluster.service_url("social")) as user:
            user.execute("INSERT INTO things VALUES ('a')")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                user.execute("CREATE TABLE more (name text)")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                user.execute("DROP TABLE things")
        for service in ("auth", "media"):
            with (
                connect(cluster.service_url(service)) as other,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                other.execute("SELECT * FROM social.things")


def test_a_password_is_needed_even_on_this_machine(cluster: Postgres) -> None:
    with (
        cluster,
        pytest.raises(psycopg.OperationalError, match="password"),
        psycopg.connect(
            host="127.0.0.1", port=cluster.port, user="postgres", password="wrong", dbname="igloo"
        ),
    ):
        pass


def test_what_was_committed_survives_a_kill_of_everything(cluster: Postgres) -> None:
    cluster.start()
    with connect(cluster.url) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
        cluster.processes[0].kill()
    # A server that comes back must not be misled by the lock file of the killed one.
    assert (cluster.folder / "data" / "postmaster.pid").exists()

    again = Postgres(cluster.folder)
    with again, connect(again.url) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()

    cluster.stop()
    assert row == (1000,)
    assert again.port == cluster.port


def test_an_interrupted_first_start_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    half = tmp_path / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    (tmp_path / "data").mkdir()

    with Postgres(tmp_path) as server, server.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_passwords_can_be_read_by_their_owner_alone(cluster: Postgres) -> None:
    with cluster:
        mode = (cluster.folder / "passwords.json").stat().st_mode

    assert mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account")
def test_root_starts_the_server_below_a_folder_that_is_closed_to_others(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    with Postgres(closed / "cluster") as server, server.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)

    assert closed.stat().st_mode & 0o777 == 0o700
