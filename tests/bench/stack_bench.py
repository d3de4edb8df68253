"""What is measured through the gateway of a running stack: feeds, writes, uploads, photos, signing in."""

import statistics
from collections.abc import Sequence

from bench import crypto, photos, scenarios, signing_in
from bench.dataset import Reader, fill, illustration_of
from bench.floors import bare_flask
from bench.load import Request, drive
from bench.meter import BARE_FLASK, CONNECTIONS, Meter
from bench.processes import ServerProcesses
from bench.report import Line, Report
from bench.scenarios import Scenario
from bench.uploads import people_for, upload_scenarios
from igloo_local.phone import Phone, wait_until
from igloo_local.stack import Stack

DEEP_PAGE = 200
FOLLOWEES = (50, 500, 5_000)
PHOTOS = 6
REVOCATIONS = 20


class Bench:
    """One run against one stack."""

    def __init__(self, stack: Stack, *, requests: int) -> None:
        self._requests = requests
        self._meter = Meter(stack)
        self._stack = stack

    def run(self) -> Report:
        """Measure everything, floors first."""
        readers = {count: self._meter.person(f"Reader {count}") for count in FOLLOWEES}
        writer = self._meter.person("Writer")
        self._fill(readers, writer)
        town = [
            row["id"]
            for row in readers[500].call("GET", f"/v1/users/{readers[500].user_id}/following?limit=100")[
                "data"
            ]
        ]
        self._measure_floors()
        for count, phone in readers.items():
            self._meter.measure(scenarios.feed_first_pages(phone, count, self._requests))
        self._meter.measure(scenarios.feed_deep_pages(readers[5_000], DEEP_PAGE, self._requests))
        self._meter.measure(scenarios.profiles(readers[50], town, self._requests))
        for events_included in (False, True):
            self._meter.measure(
                scenarios.new_posts(writer, self._requests // 2, events_included=events_included)
            )
            self._meter.measure(
                scenarios.follows(writer, town, self._requests // 2, events_included=events_included)
            )
        uploads = self._requests // 2
        uploaders = [self._meter.person(f"Uploader {n}") for n in range(people_for(uploads))]
        self._meter.measure(scenarios.upload_targets(uploaders, uploads))
        self._measure_photos(writer)
        self._measure_signing_in()
        self._note_memory()
        return Report(lines=tuple(self._meter.lines), notes=self._meter.notes)

    def run_signing_in(self) -> Report:
        """Measure signing in alone, without the town."""
        self._measure_floors()
        self._measure_signing_in()
        return Report(lines=tuple(self._meter.lines), notes=self._meter.notes)

    def run_uploads(self) -> Report:
        """Measure the requests around uploads alone, while nobody makes photos out of them."""
        self._measure_floors()
        count = self._requests // 2
        people = [self._meter.person(f"Uploader {n}") for n in range(3 * people_for(count))]
        self._meter.settle()
        self._stack.processes["media-worker"].stop()
        for scenario in upload_scenarios(people, count):
            self._meter.measure(scenario)
        return Report(lines=tuple(self._meter.lines), notes=self._meter.notes)

    def _fill(self, readers: dict[int, Phone], writer: Phone) -> None:
        """Load the town, with a real post's image on each of its posts."""
        media = writer.upload([photos.twelve_megapixels(1)])
        post = writer.post("the first of the town", media)
        wait_until(
            lambda: writer.call("GET", f"/v1/posts/{post['id']}")["state"],
            lambda state: state == "published",
            what="the first post published",
        )
        fill(
            self._meter.database,
            readers=[Reader(user_id=str(p.user_id), followees=count) for count, p in readers.items()],
            writer=str(writer.user_id),
            illustration=illustration_of(self._meter.database, post["id"]),
        )

    def _measure_floors(self) -> None:
        nginx = [Request(method="GET", path="/healthz")] * self._requests
        self._meter.measure(Scenario(work="floor: nginx alone", requests=nginx))
        with bare_flask() as (address, pid):
            constant = [Request(method="GET", path="/constant")] * self._requests
            drive(address, constant[:200], connections=CONNECTIONS)
            flask = ServerProcesses([pid])
            before = flask.cpu_seconds()
            drive(address, constant, connections=CONNECTIONS)
            spent = flask.cpu_seconds() - before
        nginx_ms = self._meter.lines[-1].cpu_ms
        self._meter.notes[BARE_FLASK] = spent / len(constant) * 1000 + nginx_ms

    def _measure_signing_in(self) -> None:
        """Measure sign-ins, refreshes and verification against the cryptography that they cannot avoid."""
        addresses, floors = self._meter.addresses, crypto.measure_crypto()
        people = signing_in.make_people(addresses, self._requests // 4)
        signing = floors.es256_sign_ms
        self._meter.measure(signing_in.sign_ins("sign in for the first time", people), floor_ms=signing)
        self._meter.measure(signing_in.sign_ins("sign in again", people), floor_ms=signing)
        self._meter.measure(
            signing_in.limited_logins(addresses, people), floor_ms=signing + floors.rs256_verify_ms
        )
        self._meter.measure(signing_in.refreshes(addresses, people), floor_ms=signing)
        self._meter.measure(signing_in.first_calls(addresses, people))
        self._meter.measure(signing_in.later_calls(addresses, people[0], self._requests))
        self._keep(
            "verify an access token, not seen before", crypto.verify_first_ms(), floors.es256_verify_ms
        )
        self._keep("verify an access token, remembered", crypto.verify_again_ms(), floors.es256_verify_ms)

        self._note_revocation(people[:REVOCATIONS])

    def _note_revocation(self, people: Sequence[signing_in.Person]) -> None:
        """Note how long social goes on answering the access token of a session that was ended."""
        addresses = self._meter.addresses
        waits = [signing_in.seconds_until_refused(addresses, person) for person in people]
        self._meter.notes["revoked session refused by social, median s"] = statistics.median(waits)
        self._meter.notes["revoked session refused by social, longest s"] = max(waits)

    def _keep(self, work: str, cpu_ms: float, floor_ms: float) -> None:
        """Keep a line that was measured inside one process."""
        self._meter.keep(Line(work=work, requests=crypto.ROUNDS, cpu_ms=cpu_ms, floor_ms=floor_ms))

    def _measure_photos(self, phone: Phone) -> None:
        taken = [photos.twelve_megapixels(seed) for seed in range(2, 2 + PHOTOS)]
        floor = photos.libvips_seconds(taken)
        warm = photos.send(phone, taken[:1])
        photos.complete_and_wait(phone, warm)
        upload_ids = photos.send(phone, taken)
        self._meter.settle()
        before = self._meter.servers.cpu_seconds()
        photos.complete_and_wait(phone, upload_ids)
        self._meter.settle()
        spent = self._meter.servers.cpu_seconds() - before
        line = Line(
            work="12-megapixel photo to three renditions",
            requests=PHOTOS,
            cpu_ms=spent / PHOTOS * 1000,
            floor_ms=floor * 1000,
            target_ms=floor * 1250,
        )
        self._meter.keep(line)

    def _note_memory(self) -> None:
        for service in ("auth", "social", "media"):
            for role, part in (("web", f"igloo_{service}.wsgi"), ("worker", f"igloo_{service}.worker")):
                size = self._meter.servers.largest_resident_bytes(part)
                self._meter.notes[f"{service} {role}, resident MB of the largest process"] = size / 1e6
