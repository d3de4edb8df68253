"""The checker is proved: it finds nothing where nothing is wrong, and each of three mutants."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaos.model.checker import CHECKS
from chaos.model.deeds import Deeds
from chaos.model.ground import Ground
from chaos.model.population import Population
from chaos.mutants.false_rows import false_rows
from chaos.mutants.falsehoods import FALSEHOODS, Falsehood
from chaos.mutants.hamlet import UNAPPLIED, Hamlet
from igloo_local.phone import wait_until
from igloo_local.ports import free_port
from igloo_local.stack import Stack

pytestmark = pytest.mark.e2e

DEEDS = 80
LOST_SECONDS = 5.0
READ = "an event is applied once by each reader"
ANNOUNCED = "every change is announced"
IN_FEEDS = "a post is in every follower's feed"


@pytest.fixture(scope="module")
def hamlet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hamlet]:
    """Start one small stack for all tests of this file; they leave it honest."""
    folder = tmp_path_factory.mktemp("hamlet")
    with Stack(folder, broker="filesystem", gateway_port=free_port()) as stack:
        yield Hamlet(stack)


@pytest.fixture(scope="module")
def ground(hamlet: Hamlet) -> Iterator[Ground]:
    """Have four people do a little of everything, so that there is something to tell falsehoods about."""
    people = hamlet.newcomers(seed=5)
    everybody_posts(people)
    a, b, c, d = people.people
    Deeds(a, photo_share=1).post()
    Deeds(b, photo_share=0).comment()
    Deeds(d, photo_share=0).unfollow(a.user_id)
    Deeds(c, photo_share=0).block(d.user_id)
    a.sign_out()
    hamlet.settle()
    with Ground(people.ledger, hamlet.places) as ground:
        found = [violation for check in CHECKS for violation in check(ground)]
        assert found == []
        yield ground


def everybody_posts(people: Population) -> None:
    for person in people.people:
        Deeds(person, photo_share=0).post()


def posts_of(people: Population) -> set[str]:
    return {str(post.id) for post in people.ledger.posts}


def test_honest_services_keep_every_promise_under_the_faults_that_show_the_mutants(hamlet: Hamlet) -> None:
    people = hamlet.newcomers(seed=1)
    hamlet.kill_worker_while_it_stores(lambda: everybody_posts(people))
    people.start()
    hamlet.send_everything_again()
    wait_until(
        lambda: sum(people.outcomes().values()),
        lambda done: done >= DEEDS,
        what="everybody has done something",
    )
    people.stop()

    assert hamlet.settle() == {}
    assert hamlet.news(people.ledger) == []


@pytest.mark.parametrize("falsehood", [*FALSEHOODS, *false_rows()], ids=lambda falsehood: falsehood.name)
def test_the_checker_tells(hamlet: Hamlet, ground: Ground, falsehood: Falsehood) -> None:
    with hamlet.lied_to(ground, lasting=falsehood.undo is not None) as lied_to:
        falsehood.tell(lied_to)
        try:
            found = falsehood.check(lied_to)
        finally:
            if falsehood.undo is not None:
                lied_to.connection.execute(falsehood.undo)

    assert {violation.promise for violation in found} == falsehood.promises
    assert any(falsehood.words in violation.sentence for violation in found), found


def test_a_switched_off_outbox_is_found(hamlet: Hamlet) -> None:
    hamlet.become("outbox_off")
    people = hamlet.newcomers(seed=2)
    everybody_posts(people)
    hamlet.settle()

    news = hamlet.news(people.ledger)

    posts = posts_of(people)
    assert {f"post {post} was never announced" for post in posts} <= {
        one.sentence for one in news if one.promise == ANNOUNCED
    }
    assert {one.sentence.split()[1] for one in news if one.promise == IN_FEEDS} == posts


def test_messages_that_are_acknowledged_before_they_are_kept_are_found(hamlet: Hamlet) -> None:
    hamlet.become("acknowledged_first")
    people = hamlet.newcomers(seed=3)
    hamlet.settle()
    hamlet.kill_worker_while_it_stores(lambda: everybody_posts(people))
    everybody_posts(people)
    hamlet.settle(lost_seconds=LOST_SECONDS)

    news = hamlet.news(people.ledger)

    lost = {
        post.id
        for post in people.ledger.posts
        if any(
            f"social.post.published.v1 of post:{post.id}) never reached social" in one.sentence
            for one in news
            if one.promise == READ
        )
    }
    assert lost
    assert {one.sentence.split()[1] for one in news if one.promise == IN_FEEDS} == lost


def test_an_inbox_that_keeps_events_twice_is_found(hamlet: Hamlet) -> None:
    hamlet.become("inbox_not_unique")
    people = hamlet.newcomers(seed=4)
    everybody_posts(people)
    hamlet.settle()
    with hamlet.without_key():
        hamlet.send_everything_again()
        # Of two rows with one id either may be left unapplied: no code is made for that.
        hamlet.wait_for_all_but({UNAPPLIED})
        news = hamlet.news(people.ledger)
        hamlet.become(None)

    twice = [one.sentence for one in news if one.promise == READ]
    assert any(sentence.endswith("is 2 times in the inbox of social") for sentence in twice)
