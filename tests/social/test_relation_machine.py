"""What people are to each other after any sequence of changes, held against a model in plain Python."""

# ruff: noqa: D102 - what a verb does to the model is shorter than a sentence about it

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from factories.social_people import make_people
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.errors import IglooError
from igloo_social.models.relations import Relationship
from igloo_social.operations.blocks import block_account, unblock_account
from igloo_social.operations.follow_requests import accept_request, reject_request
from igloo_social.operations.follows import follow_account, remove_follower, unfollow_account
from igloo_social.operations.mutes import end_expired_mutes, mute_account, unmute_account
from igloo_social.operations.profiles import ProfileEdit, edit_profile
from igloo_social.policies.relations import SHORTEST_MUTE
from igloo_social.queries.people import PeopleList, people_around
from igloo_social.queries.profiles import find_profile
from igloo_social.queries.relations import relationships_with

if TYPE_CHECKING:
    from uuid import UUID

    from igloo_common.database import Reader

PEOPLE = 3
Edge = tuple[int, int]


class Model:
    """Sets of edges, and what each change does to them; None stands for a refusal."""

    def __init__(self) -> None:
        self.follows: set[Edge] = set()
        self.requests: set[Edge] = set()
        self.blocks: set[Edge] = set()
        self.mutes: set[Edge] = set()
        self.private: set[int] = set()

    def change(self, verb: str, a: int, b: int) -> bool:
        """Do what one person does to another; False when they may not."""
        if a == b or (b, a) in self.blocks:
            return False
        allowed: bool | None = getattr(self, verb)((a, b), (b, a))
        return allowed is not False

    def follow(self, there: Edge, _: Edge) -> bool:
        if there in self.blocks:
            return False
        if there not in self.follows:
            (self.requests if there[1] in self.private else self.follows).add(there)
        return True

    def unfollow(self, there: Edge, _: Edge) -> None:
        self.follows.discard(there)
        self.requests.discard(there)

    def remove(self, there: Edge, back: Edge) -> None:
        self.unfollow(back, there)

    def accept(self, _: Edge, back: Edge) -> bool:
        if back in self.requests:
            self.requests.remove(back)
            self.follows.add(back)
        return back in self.follows

    def reject(self, _: Edge, back: Edge) -> None:
        self.requests.discard(back)

    def block(self, there: Edge, back: Edge) -> None:
        self.unfollow(there, back)
        self.unfollow(back, there)
        self.blocks.add(there)

    def unblock(self, there: Edge, _: Edge) -> None:
        self.blocks.discard(there)

    def mute(self, there: Edge, _: Edge) -> None:
        self.mutes.add(there)

    def mute_for_a_past_while(self, there: Edge, _: Edge) -> None:
        self.mutes.discard(there)

    unmute = mute_for_a_past_while

    def set_private(self, a: int, is_private: bool) -> None:
        if is_private:
            self.private.add(a)
            return
        self.private.discard(a)
        asking = {edge for edge in self.requests if edge[1] == a}
        self.follows |= asking
        self.requests -= asking

    def relationship(self, a: int, b: int) -> Relationship | None:
        """Say what a sees of b: nothing when b blocks a."""
        if (b, a) in self.blocks:
            return None
        return Relationship(
            following=(a, b) in self.follows,
            requested=(a, b) in self.requests,
            followed_by=(b, a) in self.follows,
            requested_by=(b, a) in self.requests,
            blocking=(a, b) in self.blocks,
            muting=(a, b) in self.mutes,
        )

    def listed(self, people: PeopleList, person: int, viewer: int) -> set[int]:
        """Say who is in a list as a viewer sees it."""
        edges = {
            PeopleList.FOLLOWERS: self.follows,
            PeopleList.FOLLOWEES: self.follows,
            PeopleList.REQUESTERS: self.requests,
            PeopleList.BLOCKED: self.blocks,
            PeopleList.MUTED: self.mutes,
        }[people]
        far = 0 if str(people.value[0]) == "to_user" else 1
        found = {edge[far] for edge in edges if edge[1 - far] == person}
        hidden = {other for other in found if (other, viewer) in self.blocks}
        if people not in (PeopleList.BLOCKED, PeopleList.MUTED):
            hidden |= {other for other in found if (viewer, other) in self.blocks}
        return found - hidden


def verbs() -> dict[str, Callable[[UUID, UUID], object]]:
    """Give the operations by the model's names, each in a transaction of its own."""

    def run(operation: Callable[..., object], name: str, **more: object) -> Callable[[UUID, UUID], object]:
        def call(a: UUID, b: UUID) -> object:
            with transaction() as session:
                return operation(session, **{"actor_id": a, name: b, "now": utc_now(), **more})

        return call

    past = utc_now() - 2 * SHORTEST_MUTE
    return {
        "follow": run(follow_account, "followee_id"),
        "unfollow": run(unfollow_account, "followee_id"),
        "remove": run(remove_follower, "follower_id"),
        "accept": run(accept_request, "requester_id"),
        "reject": run(reject_request, "requester_id"),
        "block": run(block_account, "blocked_id"),
        "unblock": run(unblock_account, "blocked_id"),
        "mute": run(mute_account, "muted_id", duration=None),
        "mute_for_a_past_while": run(mute_account, "muted_id", duration=SHORTEST_MUTE, now=past),
        "unmute": run(unmute_account, "muted_id"),
    }


VERBS = verbs()
PAIRS = sorted(permutations(range(PEOPLE), 2))
# What comes first is tried more often: without follows, the others have little to do.
OFTEN = ["follow", "follow", "follow", "block", *sorted(VERBS)]


class RelationMachine(RuleBasedStateMachine):
    """Does the same to the database and to the model."""

    people: tuple[UUID, ...] = ()
    touched: Edge = (0, 1)

    @initialize()
    def begin(self) -> None:
        self.model = Model()
        with transaction() as session:
            self.people = tuple(make_people(session, PEOPLE))

    @rule(verb=st.sampled_from(OFTEN), pair=st.sampled_from(PAIRS))
    def change(self, verb: str, pair: Edge) -> None:
        self.touched = a, b = pair
        allowed = self.model.change(verb, a, b)
        try:
            VERBS[verb](self.people[a], self.people[b])
        except IglooError:
            assert not allowed
        else:
            assert allowed

    @rule(first=st.sampled_from(OFTEN), then=st.sampled_from(OFTEN), pair=st.sampled_from(PAIRS))
    def change_back_and_forth(self, first: str, then: str, pair: Edge) -> None:
        self.change(first, pair)
        self.change(then, pair[::-1])

    @rule(pair=st.sampled_from(PAIRS), is_private=st.booleans(), ends_mutes=st.booleans())
    def change_alone(self, pair: Edge, is_private: bool, ends_mutes: bool) -> None:
        self.touched = pair
        self.model.set_private(pair[0], is_private)
        edit = ProfileEdit(is_private=is_private)
        with transaction() as session:
            edit_profile(
                session, user_id=self.people[pair[0]], edit=edit, expected_versions=None, now=utc_now()
            )
            if ends_mutes:
                end_expired_mutes(session, now=utc_now(), limit=10)

    @invariant()
    def both_see_what_the_model_says(self) -> None:
        if not self.people:
            return
        with reading() as reader:
            for a, b in (self.touched, self.touched[::-1]):
                self.compare_views(reader, a, b)
                for people in PeopleList:
                    self.compare_lists(reader, people, a)

    def compare_views(self, reader: Reader, a: int, b: int) -> None:
        viewer, other = self.people[a], self.people[b]
        expected = self.model.relationship(a, b)
        view = find_profile(reader, user_id=other, viewer_id=viewer)
        assert relationships_with(reader, viewer_id=viewer, user_ids=[other]).get(other) == expected
        assert (view and view.relationship) == expected
        if view is not None:
            counts = view.profile.follower_count, view.profile.following_count
            lists = (PeopleList.FOLLOWERS, PeopleList.FOLLOWEES)
            assert counts == tuple(len(self.model.listed(people, b, a)) for people in lists)

    def compare_lists(self, reader: Reader, people: PeopleList, a: int) -> None:
        viewer = self.people[a]
        page = people_around(reader, people=people, user_id=viewer, viewer_id=viewer, asked=None, limit=10)
        found = {self.people.index(row.user_id) for row in page.rows}
        assert found == self.model.listed(people, a, a)


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.mark.usefixtures("context")
def test_the_relations_are_what_a_model_of_them_is() -> None:
    run_state_machine_as_test(
        RelationMachine,
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
