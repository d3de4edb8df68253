"""What the overload bench makes of what it measured, and its generator of what it is told."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from bench.open_loop import Plan, Sent
from bench.overload_tables import Overload, Phase, Sample, as_markdown

PROBLEM = b'{"code": "overloaded"}'


class Every4thIsServed(BaseHTTPRequestHandler):
    """Turns away three of four."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_GET(self) -> None:
        """Answer."""
        type(self).asked += 1
        served = type(self).asked % 4 == 0
        self.send_response(200 if served else 503)
        if not served:
            self.send_header("Retry-After", "2")
        body = b"{}" if served else PROBLEM
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_the_generator_sends_what_is_due_and_tells_how_it_was_answered() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Every4thIsServed) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        request = "GET / HTTP/1.1\r\nHost: igloo\r\n\r\n"
        plan = Plan(port=server.server_port, requests=[request], weights=[1], seconds=0.5, rate=200)
        done = subprocess.run(
            [sys.executable, "-m", "bench.open_loop"],
            input=json.dumps(asdict(plan)).encode(),
            stdout=subprocess.PIPE,
            check=True,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        server.shutdown()

    sent = [Sent(**each) for each in json.loads(done.stdout)["sent"]]
    told = Phase(name="any", seconds=0.5, sent=sent, generator_cpu_seconds=0.1)
    assert len(sent) == Every4thIsServed.asked
    assert all(0 <= each.due <= each.sent <= each.done for each in sent)
    assert (len(told.accepted), len(told.shed)) == (len(sent) // 4, len(sent) - len(sent) // 4)
    assert not told.others


def answers(count: int, *, seconds: float, status: int = 200, begun: float = 0.0) -> list[Sent]:
    """Return so many requests, a tenth of a second apart."""
    dues = [begun + number / 10 for number in range(count)]
    refusal = {"retry_after": "2", "code": "overloaded"} if status == 503 else {}
    return [Sent(kind=0, due=due, sent=due, done=due + seconds, status=status, **refusal) for due in dues]


def phase(sent: list[Sent], *, seconds: float = 5.0) -> Phase:
    return Phase(name="any", seconds=seconds, sent=sent, generator_cpu_seconds=0.5)


def sample(at: float, events: int) -> Sample:
    return Sample(at=at, resident_bytes={"social-web": 100_000_000 + int(at)}, unfinished_events=events)


RUN = Overload(
    unloaded=phase(answers(50, seconds=0.01)),
    capacity=phase(answers(50, seconds=0.01)),
    half=phase(answers(25, seconds=0.01)),
    overload=phase([*answers(50, seconds=0.02), *answers(150, seconds=0.001, status=503)]),
    after=phase(answers(50, seconds=0.01)),
    samples=[sample(1, 2), sample(11, 40), sample(21, 9), sample(22, 2)],
    begun=10.0,
    ended=20.0,
)


def test_an_overload_is_told_by_what_was_served_and_what_was_turned_away() -> None:
    table = as_markdown(RUN)

    assert "| any | 40 | 10 | 150 | 0 | 20.0 | 20.0 | 1.0 | 1.0 | 0.0 | 0.10 |" in table
    assert "capacity: 10 requests/s; the overload was 4.0 times that" in table
    assert "p99 of what was accepted: 2.00 times the unloaded" in table
    assert "| social-web | 100 | 100 | 100 |" in table
    assert "events on their way, at most: 40" in table


def test_it_is_normal_again_after_the_last_second_that_was_not() -> None:
    assert (RUN.requests_normal_after, RUN.events_normal_after) == (0.0, 1.0)

    slow = answers(10, seconds=0.05, begun=2.0)
    refused = answers(1, seconds=0.01, status=503, begun=1.5)
    assert replace(RUN, after=phase([*RUN.after.sent, *slow])).requests_normal_after == 3.0
    assert replace(RUN, after=phase([*RUN.after.sent, *slow[:9]])).requests_normal_after == 0.0
    assert replace(RUN, after=phase([*RUN.after.sent, *refused])).requests_normal_after == 2.0


def test_a_refusal_that_does_not_say_when_to_come_is_no_shedding() -> None:
    silent = replace(answers(1, seconds=0.01, status=503)[0], retry_after="")
    assert phase([silent, *answers(1, seconds=0.1, status=502)]).others == {"503 overloaded": 1, "502": 1}
