"""Facebook and a whole stack, each started once for the tests of the local stack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from igloo_local.parts.facebook import Facebook
from igloo_local.ports import free_port
from igloo_local.stack import Stack


@pytest.fixture(scope="session")
def facebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Facebook]:
    """Start the stand-in."""
    with Facebook(tmp_path_factory.mktemp("facebook")) as running:
        yield running


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start everything once, with the folder broker: RabbitMQ has tests of its own."""
    with Stack(tmp_path_factory.mktemp("stack"), broker="filesystem", gateway_port=free_port()) as running:
        yield running
