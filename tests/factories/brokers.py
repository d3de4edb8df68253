"""Whether this machine can have RabbitMQ: CI must, a laptop without it tests the fallback alone."""

from __future__ import annotations

import pytest

from igloo_local.broker_choice import choose_broker
from igloo_local.settings import inherited_environment


def require_rabbitmq() -> None:
    """Let a test go on with RabbitMQ, which is installed when that is allowed.

    Without it the test is skipped where a person sits, and fails in CI.
    """
    said: list[str] = []
    if choose_broker("auto", report=said.append) == "rabbitmq":
        return
    reason = f"needs RabbitMQ: {said[-1]}"
    if inherited_environment().get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
