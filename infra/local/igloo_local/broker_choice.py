"""Which broker carries the events: the one given, RabbitMQ if it can be had, else a folder."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from igloo_local.errors import StackError
from igloo_local.installing import install, may_install
from igloo_local.parts.rabbitmq import find_server

FALLBACK = "no RabbitMQ here and no right to install it: events travel through a folder instead"


def choose_broker(wanted: str, *, report: Callable[[str], None]) -> str:
    """Return `rabbitmq` or `filesystem`, after installing RabbitMQ if that is needed and possible.

    Raises:
        StackError: RabbitMQ was asked for by name and cannot be had.
    """
    if wanted == "filesystem" or find_server():
        return "filesystem" if wanted == "filesystem" else "rabbitmq"
    if may_install():
        report("RabbitMQ is being installed with apt (first time only)")
        failure = install("rabbitmq-server")
        if find_server():
            return "rabbitmq"
        if wanted == "auto":
            report(f"RabbitMQ cannot be installed ({failure}): events travel through a folder instead")
            return "filesystem"
    if wanted == "rabbitmq":
        raise StackError("IGLOO_BROKER=rabbitmq, but there is no rabbitmq-server on this machine")
    report(FALLBACK)
    return "filesystem"


def folder_url(folder: Path) -> str:
    """Return the address of the fallback."""
    return f"filesystem://{quote(str(folder))}"
