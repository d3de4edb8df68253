"""Facebook on a bad day, seen from outside: each failure has its status, and who is signed in stays so."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient

from auth.conftest import MakeApp
from auth.facebook_server import OUR_APP, Answer, FacebookServer, answering
from auth.phones import Phone, ask_token
from auth.test_facebook import graph_at
from igloo_auth.facebook.failures import FacebookTokenInvalid, FacebookUnavailable
from igloo_auth.facebook.graph import Patience
from igloo_auth.settings import FACEBOOK_GRAPH_VERSION

HTML = "<!doctype html><title>Error</title>"
JSON = "application/json"
VALID = f'{{"data": {{"is_valid": true, "app_id": "{OUR_APP[0]}", "type": "USER", "user_id": "7"}}}}'


def graph_error(code: int, message: str = "?", *, status: int = 400, more: str = "") -> Answer:
    body = f'{{"error": {{"message": "{message}", "type": "OAuthException", "code": {code}{more}}}}}'
    return answering(status, body, JSON)


def redirect() -> Answer:
    def answer() -> object:
        response = answering(302, "")()
        response.headers["Location"] = "https://facebook.example/"
        return response

    return answer  # type: ignore[return-value]  # it is a response


@dataclass(frozen=True)
class BadDay:
    """What Facebook answers to a call, how often it is asked, and what the phone is told."""

    answer: Answer
    status: int
    code: str
    asked: int = 2
    reason: str | None = None


UNAVAILABLE, FAILED, INVALID = "facebook_unavailable", "facebook_failed", "facebook_token_invalid"

ON_DEBUG_TOKEN = {
    "500 with an error": BadDay(graph_error(1, status=500), 503, UNAVAILABLE),
    "500 with HTML": BadDay(answering(500, HTML, "text/html"), 503, UNAVAILABLE),
    "502 of a proxy": BadDay(answering(502, ""), 503, UNAVAILABLE),
    "a temporary error": BadDay(graph_error(2), 503, UNAVAILABLE),
    "an error that calls itself temporary": BadDay(
        graph_error(555, more=', "is_transient": true'), 503, UNAVAILABLE
    ),
    "throttled": BadDay(graph_error(4), 503, UNAVAILABLE, asked=1),
    "throttled for this person": BadDay(graph_error(17), 503, UNAVAILABLE, asked=1),
    "429": BadDay(answering(429, HTML, "text/html"), 503, UNAVAILABLE, asked=1),
    "HTML and 200": BadDay(answering(200, HTML, "text/html"), 502, FAILED),
    "HTML that says it is JSON": BadDay(answering(200, HTML, JSON), 502, FAILED),
    "JSON that says it is HTML": BadDay(answering(200, VALID, "text/html"), 502, FAILED),
    "JSON cut off": BadDay(answering(200, VALID[:40], JSON), 502, FAILED),
    "a list": BadDay(answering(200, "[]", JSON), 502, FAILED),
    "a number": BadDay(answering(200, "7", JSON), 502, FAILED),
    "nothing": BadDay(answering(200, "", JSON), 502, FAILED),
    "very deep JSON": BadDay(answering(200, "[" * 100_000, JSON), 502, FAILED),
    "a body without an end": BadDay(answering(200, VALID + " " * (2 * 1024 * 1024), JSON), 502, FAILED),
    "a redirect": BadDay(redirect(), 502, FAILED),
    "403 and HTML": BadDay(answering(403, HTML, "text/html"), 502, FAILED),
    "no data": BadDay(answering(200, '{"id": "7"}', JSON), 502, FAILED, asked=1),
    "data of another shape": BadDay(answering(200, '{"data": ["7"]}', JSON), 502, FAILED, asked=1),
    "an error of another shape": BadDay(answering(400, '{"error": "no"}', JSON), 502, FAILED, asked=1),
    "our secret is wrong": BadDay(graph_error(190, "Invalid OAuth access token"), 502, FAILED, asked=1),
    "our app is gone": BadDay(graph_error(101, "Error validating application"), 502, FAILED, asked=1),
    "our token is no app's": BadDay(graph_error(100, "(#100) app access token"), 502, FAILED, asked=1),
    "the version is gone": BadDay(graph_error(2635, "deprecated version"), 502, FAILED, asked=1),
    "the version is unknown": BadDay(graph_error(2500, "Unknown path components"), 502, FAILED, asked=1),
    "an error and 200": BadDay(graph_error(190, status=200), 502, FAILED, asked=1),
    "the address is too long": BadDay(
        answering(414, HTML, "text/html"), 400, INVALID, asked=1, reason="not_valid"
    ),
    "the request line is too long": BadDay(
        answering(400, HTML, "text/html"), 400, INVALID, asked=1, reason="not_valid"
    ),
    "another app's token": BadDay(
        graph_error(100, "(#100) The App_id in the input_token did not match the Viewing App"),
        400,
        INVALID,
        asked=1,
        reason="other_app",
    ),
    "a token that it cannot read": BadDay(
        graph_error(100, "(#100) The parameter input_token is required"),
        400,
        INVALID,
        asked=1,
        reason="not_valid",
    ),
}
ON_ME = {
    "500": BadDay(graph_error(1, status=500), 503, UNAVAILABLE),
    "HTML and 200": BadDay(answering(200, HTML, "text/html"), 502, FAILED),
    "our proof is wrong": BadDay(graph_error(100, "Invalid appsecret_proof"), 502, FAILED, asked=1),
    "the token has expired": BadDay(
        graph_error(190, more=', "error_subcode": 463'), 400, INVALID, asked=1, reason="expired"
    ),
    "the app was removed": BadDay(
        graph_error(190, more=', "error_subcode": 458'), 400, INVALID, asked=1, reason="not_valid"
    ),
    "the session is over": BadDay(graph_error(102), 400, INVALID, asked=1, reason="not_valid"),
    "a list": BadDay(answering(200, "[]", JSON), 502, FAILED),
    "somebody else": BadDay(answering(200, '{"id": "8"}', JSON), 502, FAILED, asked=1),
    "nobody": BadDay(answering(200, "{}", JSON), 502, FAILED, asked=1),
}
CASES = [
    pytest.param(path, day, id=f"{path}: {name}")
    for path, days in (("/debug_token", ON_DEBUG_TOKEN), ("/me", ON_ME))
    for name, day in days.items()
]


@pytest.mark.parametrize(("path", "day"), CASES)
def test_each_failure_of_facebook_has_its_answer_and_no_session(
    client: FlaskClient, facebook: FacebookServer, path: str, day: BadDay
) -> None:
    facebook.answer(path, *[day.answer] * 5)

    answer = ask_token(
        client, "facebook_access_token", facebook_access_token=facebook.token(facebook.person())
    )

    problem = answer.json or {}
    assert (answer.status_code, problem["code"], problem.get("reason")) == (day.status, day.code, day.reason)
    assert len(facebook.asked(path)) == day.asked
    assert answer.content_type == "application/problem+json"
    if day.status >= 500:
        assert int(answer.headers["Retry-After"]) > 0


def test_javascript_is_what_graph_calls_its_json_at_times(
    client: FlaskClient, facebook: FacebookServer
) -> None:
    facebook.answer("/debug_token", answering(200, VALID, "text/javascript; charset=UTF-8"))
    facebook.answer("/me", answering(200, '{"id": "7", "name": "Snow Hare"}', JSON))

    assert ask_token(client, "facebook_access_token", facebook_access_token="EAA").status_code == 200


@pytest.mark.parametrize("token", ["é", "EAA EAA", "EAA\u2028"], ids=["é", "space", "separator"])
def test_what_cannot_be_a_token_is_refused_without_asking(
    client: FlaskClient, facebook: FacebookServer, token: str
) -> None:
    answer = ask_token(client, "facebook_access_token", facebook_access_token=token)

    assert (answer.status_code, (answer.json or {})["reason"]) == (400, "not_valid")
    assert facebook.calls == []


def test_who_is_signed_in_stays_signed_in_while_facebook_is_away(
    make_app: MakeApp, facebook: FacebookServer, phone: Phone
) -> None:
    away = make_app(
        IGLOO_FACEBOOK_GRAPH_URL="http://127.0.0.1:9", IGLOO_FACEBOOK_WEB_URL="http://127.0.0.1:9"
    ).test_client()
    there = Phone(client=away, granted=phone.granted)

    for grant, token in (("facebook_access_token", "EAA"), ("facebook_id_token", "x")):
        assert ask_token(away, grant, **{grant: token}).status_code in (503, 400)
    there.refresh()
    there.refresh()

    assert there.get("/v1/account").status_code == 200
    assert there.get("/v1/auth/sessions").status_code == 200
    assert away.post("/v1/auth/nonces").status_code == 201


def test_another_version_than_asked_for_is_logged_once(
    facebook: FacebookServer, caplog: pytest.LogCaptureFixture
) -> None:
    def aged(body: str) -> Answer:
        def answer() -> object:
            response = answering(200, body, JSON)()
            response.headers["facebook-api-version"] = "v99.0"
            return response

        return answer  # type: ignore[return-value]  # it is a response

    facebook.answer("/debug_token", *[aged(VALID)] * 3)
    facebook.answer("/me", *[aged('{"id": "7", "name": "Snow Hare"}')] * 3)

    with closing(graph_at(facebook.url)) as graph:
        people = [graph.identify("EAAtoken") for _ in range(3)]

    assert {person.display_name for person in people} == {"Snow Hare"}
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert (vars(record)["asked"], vars(record)["served"]) == (FACEBOOK_GRAPH_VERSION, "v99.0")


def test_the_version_that_was_asked_for_is_not_worth_a_word(
    facebook: FacebookServer, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(graph_at(facebook.url)) as graph:
        graph.identify(facebook.token(facebook.person()))

    assert caplog.records == []


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def dripping(head: bytes, body: bytes, *, pause: float) -> Iterator[str]:
    """Serve an answer whose body comes byte by byte, or ends early; to as many as ask."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        thread = threading.Thread(target=_drip, args=(listener, over, head, body, pause))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


def _drip(listener: socket.socket, over: threading.Event, head: bytes, body: bytes, pause: float) -> None:
    while not over.is_set():
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        with connection:
            connection.recv(65536)
            _send_slowly(connection, over, head, body, pause)


def _send_slowly(
    connection: socket.socket, over: threading.Event, head: bytes, body: bytes, pause: float
) -> None:
    try:
        connection.sendall(head + b"\r\n")
        for byte in body:
            if over.wait(pause):
                return
            connection.sendall(bytes([byte]))
    except OSError:
        # The one who asked has gone, which is the point.
        return


def test_an_answer_that_drips_is_given_up_when_its_time_is_over(caplog: pytest.LogCaptureFixture) -> None:
    patience = Patience(connect=0.2, read=0.2, budget=0.5)
    endless = HEAD + b"Content-Length: 100000\r\n"

    with (
        dripping(endless, b" " * 100_000, pause=0.05) as url,
        closing(graph_at(url, patience)) as graph,
        pytest.raises(FacebookUnavailable),
    ):
        graph.identify("EAAtoken")

    assert {vars(record)["cause"] for record in caplog.records} == {"AnswerTooSlow"}


def test_an_answer_that_ends_too_early_is_a_failed_attempt(caplog: pytest.LogCaptureFixture) -> None:
    promised = HEAD + b"Content-Length: 1000\r\n"

    with (
        dripping(promised, b'{"data"', pause=0.0) as url,
        closing(graph_at(url)) as graph,
        pytest.raises(FacebookUnavailable),
    ):
        graph.identify("EAAtoken")

    assert {vars(record)["cause"] for record in caplog.records} == {"AnswerBroken"}


def test_a_connection_that_is_reused_does_not_carry_cookies_from_one_person_to_the_next(
    facebook: FacebookServer,
) -> None:
    def cookie() -> object:
        response = answering(200, VALID, JSON)()
        response.set_cookie("who", "snow-hare")
        return response

    facebook.answer("/debug_token", cookie)  # type: ignore[arg-type]  # it is a response
    facebook.answer("/me", answering(200, '{"id": "7"}', JSON))

    with closing(graph_at(facebook.url)) as graph:
        graph.identify("EAAtoken")

        assert list(graph._http.cookies) == []


def test_the_friends_of_a_dead_token_are_refused_at_once(facebook: FacebookServer) -> None:
    facebook.answer("/me/friends", graph_error(190, more=', "error_subcode": 463'))

    with closing(graph_at(facebook.url)) as graph, pytest.raises(FacebookTokenInvalid) as refusal:
        graph.friends_of("EAAtoken")
    assert refusal.value.reason == "expired"


def test_pages_without_an_end_are_not_read_for_ever(
    facebook: FacebookServer, caplog: pytest.LogCaptureFixture
) -> None:
    page = '{"data": [{"id": "8"}], "paging": {"next": "https://x.example", "cursors": {"after": "a"}}}'
    facebook.answer("/me/friends", *[answering(200, page, JSON)] * 100)

    with closing(graph_at(facebook.url)) as graph:
        assert graph.friends_of("EAAtoken") == {"8"}
    assert len(facebook.asked("/me/friends")) == 20
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize(
    ("seconds_left", "expected"), [(8.0, (2.0, 4.0)), (1.5, (1.5, 1.5)), (-60.0, (1.0, 1.0))]
)
def test_the_last_attempt_waits_no_longer_than_what_is_left_of_the_budget(
    monkeypatch: pytest.MonkeyPatch, seconds_left: float, expected: tuple[float, float]
) -> None:
    monkeypatch.setattr("igloo_auth.facebook.transport.time.monotonic", lambda: 1000.0)

    assert Patience().timeouts(deadline=1000.0 + seconds_left) == expected
