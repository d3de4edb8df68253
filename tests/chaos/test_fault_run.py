"""A short fault run breaks no promise, and the checker that says so can say otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from chaos.checker import violations
from chaos.fault_run import make_person, run
from chaos.ledger import Ledger
from igloo_local.ports import free_port
from igloo_local.stack import Stack

pytestmark = pytest.mark.e2e

FAULTS = 4


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("chaos")
    with Stack(folder, broker="filesystem", gateway_port=free_port()) as stack:
        yield stack


def test_processes_that_are_killed_lose_nothing_that_was_acknowledged(stack: Stack) -> None:
    report = run(stack, seed=3, faults=FAULTS, clients=3)

    assert report["violations"] == []
    assert len(report["faults"]) == FAULTS
    assert report["operations"]["post acknowledged"] > 0


def test_the_checker_reports_what_was_promised_and_is_not_there(stack: Stack) -> None:
    ledger = Ledger()
    auk, seal = (make_person(stack, ledger, number) for number in (101, 102))
    lost_post, kept_post = str(uuid4()), auk.phone.post("kept")["id"]
    auk.ledger.posts = {lost_post: "yes", kept_post: "no"}
    seal.ledger.follows = {auk.ledger.user_id: "yes"}

    found = violations([auk, seal], ledger)

    a, s = auk.ledger.user_id, seal.ledger.user_id
    assert sorted(found) == sorted(
        [
            f"post {lost_post} of {a} was acknowledged and is lost",
            f"post {kept_post} of {a} was deleted and is there",
            f"post {lost_post} of {a} is missing from the feed of {a}",
            f"post {kept_post} of {a} should not be in the feed of {a}",
            f"{s} was told to follow {a}, the list has not",
            f"post {lost_post} of {a} is missing from the feed of {s}",
        ]
    )
