"""The real parts that tests run against: one PostgreSQL, one RabbitMQ and one S3 for the whole run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from factories.databases import MigratedDatabases
from igloo_local.parts.postgres import Postgres
from igloo_local.parts.rabbitmq import RabbitMQ
from igloo_local.parts.seaweed import Seaweed

# What starts whole stacks comes first, so that no worker is left with it at the end.
_LONGEST_FIRST = ("e2e", "browser", "chaos", "stack", "auth", "common")
_TESTS = Path(__file__).parent

# The same examples at every run: what fails here fails everywhere, and again.
settings.register_profile("repeatable", derandomize=True, database=None)
settings.load_profile("repeatable")

# Tests end a server by throwing its folder away: nothing has to survive a power cut. Its passwords are random
# and need no stretching, for which every connection would pay.
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "scram_iterations": "1"}


class ByServers(LoadScopeScheduling):  # type: ignore[misc] # pytest-xdist has no types
    """Gives tests that share dear servers to one worker: those of a file, or of a folder over one broker.

    pytest-xdist's own `loadgroup` no longer groups since pytest 9.2 (its issue 1386), and says nothing.
    """

    def _split_scope(self, nodeid: str) -> str:
        path, _, name = nodeid.partition("::")
        folder = Path(path).parts[1]
        if folder == "e2e":
            return f"e2e over {'files' if '[filesystem' in name else 'rabbitmq'}"
        return folder if folder == "browser" else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByServers:
    """Share the tests out among the workers."""
    return ByServers(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker is left with it at the end."""
    order = {name: place for place, name in enumerate(_LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(item.path.relative_to(_TESTS).parts[0], len(order)))


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Start PostgreSQL with igloo's roles and schemas in it."""
    with Postgres(tmp_path_factory.mktemp("postgres"), options=_FAST) as server:
        yield server


@pytest.fixture(scope="session")
def database_urls(postgres_server: Postgres) -> Iterator[MigratedDatabases]:
    """Give the addresses of the services' migrated schemas; every test that uses one finds it empty."""
    databases = MigratedDatabases(postgres_server)
    yield databases
    databases.close()


@pytest.fixture(autouse=True)
def _empty_databases(request: pytest.FixtureRequest) -> Iterator[None]:
    """Delete what a test wrote, if it came near a database."""
    databases = request.getfixturevalue("database_urls") if "database_urls" in request.fixturenames else None
    yield
    if databases is not None:
        databases.empty()


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """Start a private RabbitMQ node; who stops it starts it again."""
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as node:
        yield node


@pytest.fixture(scope="session")
def rabbitmq_url(rabbitmq: RabbitMQ) -> str:
    """Give the node's AMQP address."""
    return rabbitmq.url


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """Start S3; buckets are the business of whoever uses it."""
    with Seaweed(tmp_path_factory.mktemp("s3")) as server:
        yield server
