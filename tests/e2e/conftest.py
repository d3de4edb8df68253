"""Whole stacks, as `make run` starts them: one for each broker that carries the events."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from factories.brokers import require_rabbitmq
from igloo_local.phone import Phone, facebook_token
from igloo_local.ports import free_port
from igloo_local.stack import Stack


class Town:
    """A running stack, and the people who are made in it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.gateway = stack.addresses.gateway

    def person(self, name: str) -> Phone:
        """Make a person at Facebook and sign them in."""
        addresses = self.stack.addresses
        phone = Phone(gateway=addresses.gateway)
        phone.sign_in(facebook_token(addresses.facebook, addresses.facebook_app_id, name))
        return phone


@pytest.fixture(scope="session", params=["rabbitmq", "filesystem"])
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Start the whole stack, without demo data, on free ports."""
    broker = str(request.param)
    if broker == "rabbitmq":
        require_rabbitmq()
    with Stack(tmp_path_factory.mktemp(broker), broker=broker, gateway_port=free_port()) as stack:
        yield Town(stack)
