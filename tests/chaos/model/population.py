"""The people of a fault run, all at work at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from chaos.model.deeds import Deeds, think
from chaos.model.ledger import Ledger
from chaos.model.person import Person
from igloo_local.phone import facebook_token

JOIN_SECONDS = 120.0
# Two of a name are told apart by a number.
NAMES = (
    "Puffin", "Snow Hare", "Arctic Fox", "Narwhal", "Beluga", "Walrus", "Ptarmigan", "Musk Ox", "Lemming",
    "Ermine", "Snowy Owl", "Harp Seal", "Guillemot", "Kittiwake", "Bowhead", "Wolverine",
)  # fmt: skip


class Population:
    """So many people, who work until they are stopped; the ledger says what they asked for and were told.

    `think_seconds` is how long each pauses between two deeds on average: at 0.3, sixteen people send about
    forty requests a second. The same seed gives each person the same chance, not the same history: that
    depends on what they are answered, and when.
    """

    def __init__(
        self,
        gateway: str,
        facebook: str,
        facebook_app_id: str,
        *,
        clients: int = 16,
        seed: int = 1,
        think_seconds: float = 0.3,
        photo_share: float = 0.25,
    ) -> None:
        self.ledger = Ledger()
        self.gateway = gateway
        self._facebook = (facebook, facebook_app_id)
        self._clients = clients
        self._seed = seed
        self._think_seconds = think_seconds
        self._photo_share = photo_share
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.people: Sequence[Person] = ()

    def enter(self) -> None:
        """Make the people and sign them in, while nothing is broken yet; `start` does it if nobody did."""
        with ThreadPoolExecutor(4) as pool:
            self.people = [*pool.map(self._make_person, range(self._clients))]

    def start(self) -> None:
        """Have everybody begin."""
        if not self.people:
            self.enter()
        self._threads = [
            threading.Thread(target=self._work, args=[person], name=f"client-{number}", daemon=True)
            for number, person in enumerate(self.people)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Have everybody finish what they are at; returns when they have."""
        self._stop.set()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
            if thread.is_alive():
                self.ledger.break_promise("clients", f"{thread.name} waits for an answer without end")

    def outcomes(self) -> dict[str, int]:
        """Return how many requests ended how, as `post acknowledged`, `follow 404`, `like unanswered`."""
        return self.ledger.outcomes()

    def troubles(self) -> dict[str, int]:
        """Return how many sendings brought no answer of igloo's, by kind, as `503`, `ConnectionError`."""
        return self.ledger.troubles()

    @property
    def latencies(self) -> Mapping[str, Sequence[float]]:
        """The seconds that each acknowledged sending took, by operation."""
        return self.ledger.latencies

    def _make_person(self, number: int) -> Person:
        name = f"{NAMES[number % len(NAMES)]} {number // len(NAMES) + 1}"
        token = facebook_token(*self._facebook, name)
        seed = self._seed * 1000 + number
        person = Person(self.gateway, token, self.ledger, seed=seed, stop=self._stop)
        person.enter()
        return person

    def _work(self, person: Person) -> None:
        deeds = Deeds(person, photo_share=self._photo_share)
        try:
            while not self._stop.is_set():
                deeds.do_something()
                think(person, self._think_seconds, self._stop.wait)
        except Exception as error:  # noqa: BLE001 - a client that fails is reported as a violation
            self.ledger.break_promise("clients", f"{threading.current_thread().name} ended: {error!r}")
