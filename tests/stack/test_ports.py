"""Ports stay the same from start to start, unless somebody else took them."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from igloo_local import ports
from igloo_local.console import Console
from igloo_local.errors import PortTaken
from igloo_local.parts_list import choose_gateway_port
from igloo_local.ports import PortBook, free_port, is_free, next_free_port


def listener(port: int = 0) -> socket.socket:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen()
    return server


def test_a_port_is_remembered(tmp_path: Path) -> None:
    first = PortBook(tmp_path).port("amqp")

    assert PortBook(tmp_path).port("amqp") == first
    assert PortBook(tmp_path).port("epmd") != first


def test_a_remembered_port_that_somebody_took_is_given_up(tmp_path: Path) -> None:
    first = PortBook(tmp_path).port("amqp")

    with listener(first):
        assert PortBook(tmp_path).port("amqp") != first


def test_a_book_stands_by_its_word_when_our_own_server_holds_the_port(tmp_path: Path) -> None:
    book = PortBook(tmp_path)
    first = book.port("amqp")

    with listener(first):
        assert book.port("amqp") == first


def test_a_damaged_book_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text('{"amqp": 1')

    assert is_free(PortBook(tmp_path).port("amqp"))


def test_the_next_free_port_skips_taken_ones() -> None:
    with listener() as server:
        taken = server.getsockname()[1]

        assert next_free_port(taken - 1) > taken


def test_a_gateway_port_asked_for_by_number_must_be_free() -> None:
    with listener() as server:
        port = server.getsockname()[1]
        with pytest.raises(PortTaken, match=f"IGLOO_PORT={port} is taken"):
            choose_gateway_port(port, Console(quiet=True))


def test_the_usual_gateway_port_gives_way_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with listener() as server:
        usual = server.getsockname()[1]

        port = choose_gateway_port(None, Console(), usual=usual)

    assert port > usual
    assert f"port {usual} is taken, so the gateway uses {port}" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that go with their process")
def test_a_port_that_was_chosen_is_not_chosen_again_before_it_is_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = free_port()
    monkeypatch.setattr(ports, "FIRST_PORT", port)
    monkeypatch.setattr(ports, "LAST_PORT", port)

    with pytest.raises(PortTaken):
        free_port()
    # Another process, which would have found the port free.
    words = f"from igloo_local import ports; ports.FIRST_PORT = ports.LAST_PORT = {port}; ports.free_port()"
    other = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    assert "PortTaken" in other.stderr
