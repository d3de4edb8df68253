"""The private RabbitMQ node: its own, on loopback, and durable."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import kombu
import psutil
import pytest

from factories.brokers import require_rabbitmq
from igloo_local.errors import StackError
from igloo_local.parts.rabbitmq import RabbitMQ
from igloo_local.waiting import accepts_connections


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """Start a node of this module's own, which a test kills."""
    require_rabbitmq()
    with RabbitMQ(tmp_path_factory.mktemp("node")) as running:
        yield running


def test_a_confirmed_message_survives_a_kill_of_node_and_name_server(node: RabbitMQ) -> None:
    queue = kombu.Queue("kept", durable=True)
    with kombu.Connection(node.url) as connection:
        queue(connection.default_channel).declare()
    # RabbitMQ 3 writes a new queue's definition to disk a moment later; a restart makes sure of it.
    node.stop()
    node.start()
    with kombu.Connection(node.url, transport_options={"confirm_publish": True}) as connection:
        connection.Producer().publish("hello", routing_key="kept", delivery_mode=2)

    for process in node.processes:
        process.kill()
    node.stop()
    again = RabbitMQ(node.folder)
    with again, kombu.Connection(again.url) as connection:
        message = queue(connection.default_channel).get()

    assert message is not None
    assert message.body == "hello"
    assert again.url == node.url


def test_everything_of_it_listens_on_loopback(node: RabbitMQ) -> None:
    with RabbitMQ(node.folder) as running:
        ours = {
            process.pid
            for part in running.processes
            if part.pid is not None
            for process in [psutil.Process(part.pid), *psutil.Process(part.pid).children(recursive=True)]
        }
        addresses = {
            one.laddr.ip
            for one in psutil.net_connections("tcp")
            if one.laddr and one.pid in ours and one.status == psutil.CONN_LISTEN
        }

    assert "127.0.0.1" in addresses
    assert all(ipaddress.ip_address(address).is_loopback for address in addresses)


def test_a_node_does_not_make_itself_a_name_server_that_would_outlive_it(node: RabbitMQ) -> None:
    with RabbitMQ(node.folder) as running:
        name_server, broker = running.processes
        broker.stop()
        name_server.stop()

        with pytest.raises(StackError, match="RabbitMQ's name server"):
            broker.start()

        assert not accepts_connections(running.ports.port("epmd"))
