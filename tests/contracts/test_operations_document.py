"""What docs/operations.md promises to be there is there, and what is there is in it."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest
from flask.cli import AppGroup
from prometheus_client.metrics import MetricWrapperBase

from igloo_auth.commands.accounts import accounts
from igloo_auth.commands.keys import keys
from igloo_common import database_clock, event_metrics, metrics, storage_errors
from igloo_common.backlog import Backlog
from igloo_common.cli import events
from igloo_local.commands import COMMANDS
from igloo_local.source import ROOT
from igloo_media.jobs import photo_metrics, purging, recounts
from igloo_social.jobs import backlog, counts, pushes

TEXT = (ROOT / "docs" / "operations.md").read_text()


def counted() -> set[str]:
    """Return the names of all metrics, as Prometheus shows them."""
    modules = (
        database_clock,
        event_metrics,
        metrics,
        storage_errors,
        backlog,
        counts,
        pushes,
        photo_metrics,
        purging,
        recounts,
    )
    found = [member for module in modules for member in vars(module).values()]
    families = [family for one in found if isinstance(one, MetricWrapperBase) for family in one.describe()]
    counters = {f"{one.name}_total" if one.type == "counter" else one.name for one in families}
    return counters | {f"igloo_{field.name}" for field in fields(Backlog)}


def test_every_metric_has_its_row() -> None:
    table = TEXT.split("## Metrics and alarms")[1].split("## What to do when")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `igloo_")]

    assert {name for row in rows for name in re.findall(r"`(igloo_\w+)`", row)} == counted()


@pytest.mark.parametrize("name", events.commands)
def test_every_event_command_is_described(name: str) -> None:
    assert f"`… events {name}" in TEXT


def test_no_event_command_is_described_that_is_not_there() -> None:
    assert set(re.findall(r"`(?:… )?events (\w+)", TEXT)) == set(events.commands)


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group in (keys, accounts) for name in group.commands]
)
def test_every_command_of_auth_is_described(group: AppGroup, name: str) -> None:
    [row] = [
        line for line in TEXT.splitlines() if line.startswith(f"| `flask --app igloo_auth.app {group.name} ")
    ]

    assert f"`{name}`" in row.replace(f"igloo_auth.app {group.name} ", "`")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_local_stack_is_described(name: str) -> None:
    table = TEXT.split("### The local stack")[1].split("| variable |")[0]

    assert re.search(rf"`{name}\b", table)


def test_every_page_and_heading_that_is_linked_exists() -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]+\.md)(?:#([\w-]+))?\)", TEXT):
        page = (ROOT / "docs" / target).read_text()
        headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in slugs, f"{target} has no heading #{anchor}"
