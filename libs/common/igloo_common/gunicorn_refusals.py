"""What gunicorn refuses before the application sees it, told as everything else is."""

from __future__ import annotations

import socket
from http import HTTPStatus

from gunicorn import util

from igloo_common.problems import PROBLEM_TYPE, code_of, problem_response


def answer_in_problems() -> None:
    """Have gunicorn write problem documents; it knows no setting for it, and would write HTML."""
    util.write_error = _write_problem


def _write_problem(client: socket.socket, status: int, _reason: str, message: str) -> None:
    body = problem_response(status, code_of(status), message).get_data()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nConnection: close\r\nCache-Control: no-store\r\n"
        f"Content-Type: {PROBLEM_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    util.write_nonblock(client, head.encode() + body)
