"""`make bench`: start the stack as in production, load the town, measure each line, write the report."""

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import crypto, photos, scenarios, signing_in
from bench.dataset import Reader, fill, illustration_of, unfinished_events
from bench.floors import bare_flask
from bench.load import Request, drive
from bench.processes import ServerProcesses
from bench.report import Line, Report
from bench.scenarios import Scenario
from igloo_local.console import Console
from igloo_local.phone import Phone, facebook_token, wait_until
from igloo_local.stack import Stack

CONNECTIONS = 4
DEEP_PAGE = 200
FOLLOWEES = (50, 500, 5_000)
PHOTOS = 6
REVOCATIONS = 20
# All of the bench comes from one address.
UNLIMITED = dict.fromkeys(
    ("IGLOO_TOKENS_PER_ADDRESS", "IGLOO_NONCES_PER_ADDRESS", "IGLOO_SIGN_INS_PER_IDENTITY"), "1000000"
)


class Bench:
    """One run against one stack."""

    def __init__(self, stack: Stack, *, requests: int) -> None:
        self._stack = stack
        self._requests = requests
        self._database = stack.addresses.databases["superuser"]
        # The stand-in for Facebook is no server of ours: what it costs is Facebook's affair.
        ours = [pid for name, pid in stack.addresses.pids.items() if not name.startswith("facebook")]
        self._servers = ServerProcesses(ours)
        self._lines: list[Line] = []
        self._notes: dict[str, float] = {}

    def run(self) -> Report:
        """Measure everything, floors first."""
        readers = {count: self._person(f"Reader {count}") for count in FOLLOWEES}
        writer = self._person("Writer")
        self._fill(readers, writer)
        town = [
            row["id"]
            for row in readers[500].call("GET", f"/v1/users/{readers[500].user_id}/following?limit=100")[
                "data"
            ]
        ]
        self._measure_floors()
        for count, phone in readers.items():
            self._measure(scenarios.feed_first_pages(phone, count, self._requests))
        self._measure(scenarios.feed_deep_pages(readers[5_000], DEEP_PAGE, self._requests))
        self._measure(scenarios.profiles(readers[50], town, self._requests))
        for events_included in (False, True):
            self._measure(scenarios.new_posts(writer, self._requests // 2, events_included=events_included))
            self._measure(
                scenarios.follows(writer, town, self._requests // 2, events_included=events_included)
            )
        self._measure(scenarios.upload_targets(writer, self._requests // 2))
        self._measure_photos(writer)
        self._measure_signing_in()
        self._note_memory()
        return Report(lines=tuple(self._lines), notes=self._notes)

    def run_signing_in(self) -> Report:
        """Measure signing in alone, without the town."""
        self._measure_floors()
        self._measure_signing_in()
        return Report(lines=tuple(self._lines), notes=self._notes)

    def _person(self, name: str) -> Phone:
        addresses = self._stack.addresses
        phone = Phone(gateway=addresses.gateway)
        phone.sign_in(facebook_token(addresses.facebook, addresses.facebook_app_id, name))
        phone.call("GET", "/v1/users/me")
        return phone

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
            self._database,
            readers=[Reader(user_id=str(p.user_id), followees=count) for count, p in readers.items()],
            writer=str(writer.user_id),
            illustration=illustration_of(self._database, post["id"]),
        )

    def _measure_floors(self) -> None:
        nginx = [Request(method="GET", path="/healthz")] * self._requests
        self._measure(Scenario(work="floor: nginx alone", requests=nginx))
        with bare_flask() as (address, pid):
            constant = [Request(method="GET", path="/constant")] * self._requests
            drive(address, constant[:200], connections=CONNECTIONS)
            flask = ServerProcesses([pid])
            before = flask.cpu_seconds()
            drive(address, constant, connections=CONNECTIONS)
            spent = flask.cpu_seconds() - before
        nginx_ms = self._lines[-1].cpu_ms
        self._notes["floor: bare Flask behind the same nginx, CPU-ms"] = (
            spent / len(constant) * 1000 + nginx_ms
        )

    def _measure_signing_in(self) -> None:
        """Measure sign-ins, refreshes and verification against the cryptography that they cannot avoid."""
        addresses, floors = self._stack.addresses, crypto.measure_crypto()
        people = signing_in.make_people(addresses, self._requests // 4)
        signing = floors.es256_sign_ms
        self._measure(signing_in.sign_ins("sign in for the first time", people), floor_ms=signing)
        self._measure(signing_in.sign_ins("sign in again", people), floor_ms=signing)
        self._measure(signing_in.limited_logins(addresses, people), floor_ms=signing + floors.rs256_verify_ms)
        self._measure(signing_in.refreshes(addresses, people), floor_ms=signing)
        self._measure(signing_in.first_calls(addresses, people))
        self._measure(signing_in.later_calls(addresses, people[0], self._requests))
        self._keep(
            "verify an access token, not seen before", crypto.verify_first_ms(), floors.es256_verify_ms
        )
        self._keep("verify an access token, remembered", crypto.verify_again_ms(), floors.es256_verify_ms)

        self._note_revocation(people[:REVOCATIONS])

    def _note_revocation(self, people: Sequence[signing_in.Person]) -> None:
        """Note how long social goes on answering the access token of a session that was ended."""
        addresses = self._stack.addresses
        waits = [signing_in.seconds_until_refused(addresses, person) for person in people]
        self._notes["revoked session refused by social, median s"] = statistics.median(waits)
        self._notes["revoked session refused by social, longest s"] = max(waits)

    def _keep(self, work: str, cpu_ms: float, floor_ms: float) -> None:
        """Keep a line that was measured inside one process."""
        self._lines.append(Line(work=work, requests=crypto.ROUNDS, cpu_ms=cpu_ms, floor_ms=floor_ms))
        print(f"  {cpu_ms:8.4f} CPU-ms  {work}", flush=True)

    def _measure(self, scenario: Scenario, *, floor_ms: float | None = None) -> None:
        """Warm up with a tenth, let events settle, then measure the rest.

        The floor is that of bare Flask unless another is named.
        """
        gateway = self._stack.addresses.gateway
        warm = max(20, len(scenario.requests) // 10)
        drive(gateway, scenario.requests[:warm], connections=CONNECTIONS)
        self._settle()
        measured = scenario.requests[warm:]
        before = self._servers.cpu_seconds()
        timings = drive(gateway, measured, connections=CONNECTIONS)
        if scenario.events_included:
            self._settle()
        spent = self._servers.cpu_seconds() - before
        line = Line(
            work=scenario.work,
            requests=len(measured),
            cpu_ms=spent / len(measured) * 1000,
            floor_ms=floor_ms or self._notes.get("floor: bare Flask behind the same nginx, CPU-ms"),
            target_ms=scenario.target_ms,
            per_second=timings.per_second,
            median_ms=timings.median_ms,
            p99_ms=timings.p99_ms,
        )
        self._lines.append(line)
        print(f"  {line.cpu_ms:8.3f} CPU-ms  {line.work}", flush=True)

    def _settle(self) -> None:
        wait_until(
            lambda: unfinished_events(self._database),
            lambda count: count == 0,
            what="all events applied",
            timeout_seconds=120,
        )

    def _measure_photos(self, phone: Phone) -> None:
        taken = [photos.twelve_megapixels(seed) for seed in range(2, 2 + PHOTOS)]
        floor = photos.libvips_seconds(taken)
        warm = photos.send(phone, taken[:1])
        photos.complete_and_wait(phone, warm)
        upload_ids = photos.send(phone, taken)
        self._settle()
        before = self._servers.cpu_seconds()
        photos.complete_and_wait(phone, upload_ids)
        self._settle()
        spent = self._servers.cpu_seconds() - before
        line = Line(
            work="12-megapixel photo to three renditions",
            requests=PHOTOS,
            cpu_ms=spent / PHOTOS * 1000,
            floor_ms=floor * 1000,
            target_ms=floor * 1250,
        )
        self._lines.append(line)
        print(f"  {line.cpu_ms:8.3f} CPU-ms  {line.work}", flush=True)

    def _note_memory(self) -> None:
        for service in ("auth", "social", "media"):
            for role, part in (("web", f"igloo_{service}.wsgi"), ("worker", f"igloo_{service}.worker")):
                size = self._servers.largest_resident_bytes(part)
                self._notes[f"{service} {role}, resident MB of the largest process"] = size / 1e6


def main() -> None:
    """Run the bench and write `report/bench`."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--requests", type=int, default=2000, help="requests for each measured line")
    parser.add_argument("--only", choices=("all", "signing-in"), default="all", help="which lines")
    parser.add_argument("--broker", default="auto", choices=("auto", "rabbitmq", "filesystem"))
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="igloo-bench-") as folder,
        Stack(Path(folder), broker=chosen.broker, given=UNLIMITED, console=Console()) as stack,
    ):
        bench = Bench(stack, requests=chosen.requests)
        report = bench.run() if chosen.only == "all" else bench.run_signing_in()
    report.write(Path("report/bench"))
    print(report.as_markdown())


if __name__ == "__main__":
    main()
