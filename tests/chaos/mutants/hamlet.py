"""The smallest stack that proves the checker: one process of each kind, few people, faults by hand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import replace
from typing import Any

from chaos.model.checker import violations_of
from chaos.model.deeds import Deeds
from chaos.model.draining import drain, waiting
from chaos.model.facts import Violation
from chaos.model.ground import Ground
from chaos.model.ledger import Ledger
from chaos.model.places import Places
from chaos.model.population import Population
from chaos.mutants.hook import MUTANTS, mutated
from igloo_local.phone import wait_until
from igloo_local.processes import Command
from igloo_local.stack import Stack

PEOPLE = 4
ARRIVAL_SECONDS = 60.0
LOST = "events on their way"
UNAPPLIED = "unapplied events"
_STORING = """
SELECT count(*) FROM pg_stat_activity
WHERE usename LIKE 'igloo_social%' AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO inbox%'
"""


class Hamlet:
    """A running stack whose processes can be exchanged for mutants; what was found once is not found anew."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.places = Places.of(stack)
        self._honest: dict[str, Command] = {}
        self._known: set[Violation] = set()

    def newcomers(self, *, seed: int, photo_share: float = 0.25) -> Population:
        """Make four people who all follow each other, and wait until that is known everywhere."""
        addresses = self.stack.addresses
        people = Population(
            addresses.gateway,
            addresses.facebook,
            addresses.facebook_app_id,
            clients=PEOPLE,
            seed=seed,
            think_seconds=0.05,
            photo_share=photo_share,
        )
        people.enter()
        # They came in any order.
        people.ledger.people[:] = [person.user_id for person in people.people]
        for person in people.people:
            for other in people.ledger.people:
                if other != person.user_id:
                    Deeds(person, photo_share=0).follow(other)
        return people

    def become(self, mutant: str | None) -> None:
        """Have the processes of a mutant start anew as such, and all others be as they should."""
        for name in {name for names in MUTANTS.values() for name in names}:
            process = self.stack.processes[name]
            honest = self._honest.setdefault(name, process.command)
            is_mutant = mutant is not None and name in MUTANTS[mutant]
            environment = mutated(honest.environment, str(mutant)) if is_mutant else honest.environment
            if process.command.environment != environment:
                process.stop()
                process.command = replace(honest, environment=environment)
                process.start()
                self.stack.parts.services["social"].wait_ready(process)

    def kill_worker_while_it_stores(self, act: Callable[[], None]) -> None:
        """Act while nothing can be stored; kill the worker once it tries to store what it received."""
        worker = self.stack.processes["social-worker"]
        with self.places.connect() as holder, self.places.connect() as watcher:
            with holder.transaction():
                holder.execute("LOCK TABLE social.inbox IN SHARE MODE")
                act()
                wait_until(
                    lambda: watcher.execute(_STORING).fetchone(),
                    lambda row: bool(row and row[0]),
                    what="the worker of social tries to store an event",
                )
                lives = worker.starts
                worker.kill()
                wait_until(lambda: worker.running, lambda running: not running, what="the worker is dead")
            wait_until(lambda: worker.starts, lambda starts: starts > lives, what="the worker is back")

    def send_everything_again(self) -> None:
        """Have the relay of social publish all that it has published, as after a restored backup."""
        with self.places.connect() as connection:
            connection.execute("UPDATE social.outbox SET published_at = NULL")

    @contextmanager
    def without_key(self) -> Iterator[None]:
        """Take the primary key of social's inbox away, and bring it back with what it needs."""
        with self.places.connect() as connection:
            connection.execute("ALTER TABLE social.inbox DROP CONSTRAINT pk_inbox")
            try:
                yield
            finally:
                connection.execute(
                    "DELETE FROM social.inbox AS a USING social.inbox AS b"
                    " WHERE a.event_id = b.event_id AND a.ctid > b.ctid"
                )
                connection.execute("ALTER TABLE social.inbox ADD CONSTRAINT pk_inbox PRIMARY KEY (event_id)")

    def settle(self, *, lost_seconds: float = ARRIVAL_SECONDS) -> dict[str, int]:
        """Wait until nothing but lost events is on its way, then so long for those; return what is left."""
        self.wait_for_all_but({LOST})
        left, _ = drain(self.places, bound_seconds=lost_seconds)
        return left

    def wait_for_all_but(self, excused: Collection[str]) -> None:
        """Wait until nothing is on its way, whatever there is of the excused kinds."""
        wait_until(
            lambda: waiting(self.places),
            lambda counts: not any(count for what, count in counts.items() if what not in excused),
            what=f"everything but {' and '.join(excused)} has arrived",
            timeout_seconds=ARRIVAL_SECONDS,
        )

    @contextmanager
    def lied_to(self, ground: Ground, *, lasting: bool = False) -> Iterator[Ground]:
        """Give a copy of the ledger to falsify, and a connection whose changes nobody will ever see.

        With `lasting` everybody sees the changes, and whoever makes them takes them back.
        """
        memo: dict[int, Any] = {}
        ledger = copy(ground.ledger)
        for name, value in vars(ground.ledger).items():
            if isinstance(value, dict | list):
                setattr(ledger, name, deepcopy(value, memo))
        with Ground(ledger, self.places) as lied_to:
            lied_to.phones.update(ground.phones)
            try:
                with lied_to.connection.transaction(force_rollback=not lasting):
                    if not lasting:
                        yield lied_to
                if lasting:
                    yield lied_to
            finally:
                # They are not this ground's to close.
                lied_to.phones.clear()

    def news(self, ledger: Ledger) -> Sequence[Violation]:
        """Return what the checker finds that it has not found before."""
        found = [one for one in violations_of(ledger, self.places) if one not in self._known]
        self._known |= set(found)
        return found
