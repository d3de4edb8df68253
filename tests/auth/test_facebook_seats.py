"""A Facebook that hangs holds half of the threads, and the others go on."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import requests

from auth.facebook_server import FacebookServer
from auth.processes import WEB, free_port, running
from factories.waiting import eventually
from igloo_auth.facebook.failures import FacebookUnavailable
from igloo_auth.facebook.seats import FacebookSeats

TIMEOUT_SECONDS = 60


def test_half_of_the_threads_may_wait_and_another_is_told_to_come_back() -> None:
    seats = FacebookSeats(threads=4)
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(seats.taken())
        for _ in range(2):
            with pytest.raises(FacebookUnavailable), seats.taken():
                raise AssertionError("there are two seats")

    with seats.taken(), seats.taken():
        pass


def test_a_process_of_one_thread_can_still_ask() -> None:
    seats = FacebookSeats(threads=1)
    for _ in range(2):
        with seats.taken():
            pass


def test_a_seat_that_is_free_again_in_a_moment_is_waited_for() -> None:
    seats, done = FacebookSeats(threads=2), []

    def sit() -> None:
        with seats.taken():
            done.append(threading.get_ident())

    with seats.taken():
        waiting = threading.Thread(target=sit)
        waiting.start()
        assert done == []
    waiting.join(TIMEOUT_SECONDS)

    assert len(done) == 1


def test_a_seat_is_given_back_by_who_fails() -> None:
    seats = FacebookSeats(threads=2)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), seats.taken():
            _ = 1 / 0


def test_tokens_are_refreshed_while_sign_ins_hang(environ: dict[str, str], facebook: FacebookServer) -> None:
    address = f"127.0.0.1:{free_port()}"
    environ = {**environ, "IGLOO_WEB_BIND": address, "IGLOO_WEB_WORKERS": "1", "IGLOO_THREADS": "4"}

    def ask(grant_type: str, **parameters: str) -> requests.Response:
        body = {"grant_type": grant_type, **parameters}
        return requests.post(f"http://{address}/v1/auth/token", data=body, timeout=TIMEOUT_SECONDS)

    def sign_in(token: str) -> requests.Response:
        return ask("facebook_access_token", facebook_access_token=token)

    with running(WEB, environ, ready_at=f"http://{address}/readyz"), ThreadPoolExecutor(4) as phones:
        granted = sign_in(facebook.token(facebook.person())).json()
        facebook.calls.clear()
        facebook.answer("/debug_token", *[facebook.silence] * 100)
        hanging = [phones.submit(sign_in, f"EAA{number}") for number in range(4)]
        eventually(
            lambda: sum(each.done() for each in hanging),
            lambda count: count >= 2,
            what="those without a seat",
        )

        refreshed = ask("refresh_token", refresh_token=granted["refresh_token"])

        assert refreshed.status_code == 200, refreshed.text
        assert sum(not each.done() for each in hanging) == 2, "it waited for those who hang"
        assert {each.result().status_code for each in hanging} == {503}
        assert len({call.query["input_token"] for call in facebook.asked("/debug_token")}) == 2
