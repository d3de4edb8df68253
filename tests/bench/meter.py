"""Measures work against one running stack: CPU over all of its server processes, and latencies."""

from bench.dataset import unfinished_events
from bench.load import drive
from bench.processes import ServerProcesses
from bench.report import Line
from bench.scenarios import Scenario
from igloo_local.phone import Phone, facebook_token, wait_until
from igloo_local.stack import Stack

CONNECTIONS = 4
BARE_FLASK = "floor: bare Flask behind the same nginx, CPU-ms"


class Meter:
    """Takes one line after the other; `notes` holds what belongs to the whole run."""

    def __init__(self, stack: Stack) -> None:
        self.addresses = stack.addresses
        self.database = stack.addresses.databases["superuser"]
        # The stand-in for Facebook is no server of ours: what it costs is Facebook's affair.
        ours = [pid for name, pid in stack.addresses.pids.items() if not name.startswith("facebook")]
        self.servers = ServerProcesses(ours)
        self.lines: list[Line] = []
        self.notes: dict[str, float] = {}

    def person(self, name: str) -> Phone:
        """Sign in somebody new, and have every service meet them."""
        phone = Phone(gateway=self.addresses.gateway)
        phone.sign_in(facebook_token(self.addresses.facebook, self.addresses.facebook_app_id, name))
        phone.call("GET", "/v1/users/me")
        return phone

    def measure(self, scenario: Scenario, *, floor_ms: float | None = None) -> Line:
        """Warm up with a tenth, let events settle, then measure the rest.

        The floor is that of bare Flask unless another is named.
        """
        gateway = self.addresses.gateway
        warm = max(20, len(scenario.requests) // 10)
        drive(gateway, scenario.requests[:warm], connections=CONNECTIONS)
        self.settle()
        measured = scenario.requests[warm:]
        before = self.servers.cpu_seconds()
        timings = drive(gateway, measured, connections=CONNECTIONS)
        if scenario.events_included:
            self.settle()
        spent = self.servers.cpu_seconds() - before
        return self.keep(
            Line(
                work=scenario.work,
                requests=len(measured),
                cpu_ms=spent / len(measured) * 1000,
                floor_ms=floor_ms or self.notes.get(BARE_FLASK),
                target_ms=scenario.target_ms,
                per_second=timings.per_second,
                median_ms=timings.median_ms,
                p99_ms=timings.p99_ms,
            )
        )

    def keep(self, line: Line) -> Line:
        """Add a line to the report, and show it."""
        self.lines.append(line)
        print(f"  {line.cpu_ms:8.3f} CPU-ms  {line.work}", flush=True)
        return line

    def settle(self) -> None:
        """Wait until every event has been applied."""
        wait_until(
            lambda: unfinished_events(self.database),
            lambda count: count == 0,
            what="all events applied",
            timeout_seconds=120,
        )
