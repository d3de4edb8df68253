"""Messages in a folder survive whoever handles them."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from factories.settings import INHERITED
from factories.waiting import eventually
from igloo_common.ids import new_id
from igloo_common.messaging import BrokerUnavailable, Outgoing, embedded
from igloo_common.messaging.embedded import EmbeddedBroker

QUEUE = "social.events"
TYPE = "auth.note.written.v1"
SOURCES = os.pathsep.join(sys.path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a broker's folder with one queue."""
    EmbeddedBroker(tmp_path).declare(QUEUE, [TYPE])
    return tmp_path


@pytest.fixture
def child(folder: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Keep processes that a test started, and end those that it did not."""
    children: list[subprocess.Popen[bytes]] = []
    yield children
    for process in children:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def outgoing(number: int, *, event_type: str = TYPE) -> Outgoing:
    return Outgoing(event_id=new_id(), routing_key=event_type, body=b"%d" % number)


def start(code: str, folder: Path) -> subprocess.Popen[bytes]:
    environ = {**INHERITED, "PYTHONPATH": SOURCES}
    program = (
        f"from igloo_common.messaging.embedded import *\nbroker = EmbeddedBroker({str(folder)!r})\n{code}"
    )
    command = [sys.executable, "-c", program]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE)  # noqa: S603 - words of this file


def receive_all(folder: Path) -> list[int]:
    subscriber = EmbeddedBroker(folder).subscriber(QUEUE)
    bodies: list[int] = []
    while messages := subscriber.receive(timeout_seconds=0.2):
        bodies += [int(message.body) for message in messages]
        subscriber.acknowledge(messages)
    subscriber.close()
    return bodies


def test_messages_arrive_in_the_order_in_which_they_were_published(folder: Path) -> None:
    for start_at in (0, 100):
        EmbeddedBroker(folder).publisher().publish([outgoing(n) for n in range(start_at, start_at + 100)])

    assert receive_all(folder) == list(range(200))


def test_a_clock_that_is_set_back_reorders_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    EmbeddedBroker(folder).publisher().publish([outgoing(0)])
    monkeypatch.setattr(embedded, "time_ns", lambda: 1)
    EmbeddedBroker(folder).publisher().publish([outgoing(1), outgoing(2)])

    assert receive_all(folder) == [0, 1, 2]


def test_a_type_that_no_queue_wants_is_returned_and_a_full_queue_refuses(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = EmbeddedBroker(folder).publisher()
    unwanted, wanted = outgoing(0, event_type="auth.note.burnt.v1"), outgoing(1)
    outcome = publisher.publish([unwanted, wanted])
    assert outcome.returned == {unwanted.event_id}
    assert outcome.confirmed == {wanted.event_id}

    monkeypatch.setattr(embedded, "MAX_QUEUED", 1)
    refused = outgoing(2)
    assert publisher.publish([refused]).nacked == {refused.event_id}
    assert receive_all(folder) == [1]


def test_what_was_received_but_not_acknowledged_comes_again(folder: Path) -> None:
    broker = EmbeddedBroker(folder)
    broker.publisher().publish([outgoing(n) for n in range(3)])
    first = broker.subscriber(QUEUE)
    first.acknowledge(first.receive(timeout_seconds=1)[:1])
    first.close()

    assert receive_all(folder) == [1, 2]


def test_one_subscriber_is_served_and_the_next_takes_over_when_it_is_killed(
    folder: Path, child: list[subprocess.Popen[bytes]]
) -> None:
    broker = EmbeddedBroker(folder)
    broker.publisher().publish([outgoing(n) for n in range(3)])
    code = (
        f"subscriber = broker.subscriber({QUEUE!r})\n"
        "print(len(subscriber.receive(timeout_seconds=5)), flush=True)\n"
        "sleep(60)"
    )
    child.append(start(code, folder))
    assert child[0].stdout is not None
    assert child[0].stdout.readline() == b"3\n"
    standby = broker.subscriber(QUEUE)
    assert standby.receive(timeout_seconds=0.1) == []

    child[0].send_signal(signal.SIGKILL)

    messages = eventually(lambda: standby.receive(timeout_seconds=0.1), what="the standby being served")
    assert [int(message.body) for message in messages] == [0, 1, 2]
    standby.close()


def test_a_publisher_killed_in_the_middle_leaves_whole_messages_alone(
    folder: Path, child: list[subprocess.Popen[bytes]]
) -> None:
    code = (
        "from igloo_common.messaging import Outgoing\n"
        "from igloo_common.ids import new_id\n"
        "publisher = broker.publisher()\n"
        "number = 0\n"
        "while True:\n"
        f"    message = Outgoing(event_id=new_id(), routing_key={TYPE!r}, body=b'%09d' % number * 2000)\n"
        "    publisher.publish([message])\n"
        "    number += 1\n"
        "    print(number, flush=True)\n"
    )
    child.append(start(code, folder))
    assert child[0].stdout is not None
    for _ in range(25):
        confirmed = int(child[0].stdout.readline())
    child[0].send_signal(signal.SIGKILL)
    child[0].wait()

    subscriber = EmbeddedBroker(folder).subscriber(QUEUE)
    numbers = []
    while messages := subscriber.receive(timeout_seconds=0.2):
        for message in messages:
            assert message.body == message.body[:9] * 2000
            numbers.append(int(message.body[:9]))
        subscriber.acknowledge(messages)
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= confirmed
    subscriber.close()


def test_a_disk_that_fills_up_leaves_no_part_of_a_message(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = EmbeddedBroker(folder).publisher()

    def no_space(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", no_space)
        with pytest.raises(BrokerUnavailable, match="No space left"):
            publisher.publish([outgoing(1)])
    publisher.publish([outgoing(2)])

    assert receive_all(folder) == [2]


def test_a_folder_that_is_gone_is_a_broker_that_is_away(tmp_path: Path) -> None:
    with pytest.raises(BrokerUnavailable):
        EmbeddedBroker(tmp_path / "nowhere").publisher()
    with pytest.raises(BrokerUnavailable):
        EmbeddedBroker(tmp_path / "nowhere").subscriber(QUEUE)
