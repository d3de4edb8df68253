"""The local stack's Facebook on a loopback port, with faults on demand and a record of what it was asked."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from igloo_local.facebook.app import create_app
from igloo_local.facebook.directory import EXTENSION, Directory
from igloo_local.facebook.people import Person
from igloo_local.facebook.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

OUR_APP = ("1234567890", "a-facebook-secret-that-opens-nothing")
OTHER_APP = ("9876543210", "another-facebook-secret-that-opens-nothing")

Answer = Callable[[], Response]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request that reached Graph."""

    path: str
    query: dict[str, str]


@dataclass(kw_only=True)
class FacebookServer:
    """A running stand-in; `url` is its Graph address."""

    url: str
    directory: Directory
    calls: list[Call] = field(default_factory=list)
    next_answers: dict[str, deque[Answer]] = field(default_factory=lambda: defaultdict(deque))
    released: threading.Event = field(default_factory=threading.Event)

    def person(self, name: str = "Snow Hare", *, app: tuple[str, str] = OUR_APP) -> Person:
        """Make a person who has the app."""
        return self.directory.people.add(app_id=app[0], name=name)

    def token(self, person: Person, *, seconds: int = 3600) -> str:
        """Log a person in; a negative time gives a token that has expired."""
        return self.directory.people.issue_token(person, seconds=seconds).token

    def answer(self, path: str, *answers: Answer) -> None:
        """Give these answers to the next calls of a path, instead of the true ones."""
        self.next_answers[path].extend(answers)

    def silence(self) -> Response:
        """Answer only once the test is over."""
        self.released.wait(timeout=30)
        return Response(status=500)

    def asked(self, path: str) -> list[Call]:
        """Return the calls of one path, without the version."""
        return [call for call in self.calls if call.path.endswith(path)]


def answering(status: int, body: str, content_type: str = "application/json") -> Answer:
    """Make an answer of the test's own words."""
    return lambda: Response(body, status=status, content_type=content_type)


def proof_of(access_token: str, secret: str = OUR_APP[1]) -> str:
    """Return the appsecret_proof that a call with this token must carry."""
    return hmac.new(secret.encode(), access_token.encode(), hashlib.sha256).hexdigest()


@contextmanager
def running_facebook(folder: Path) -> Iterator[FacebookServer]:
    """Serve the stand-in from a thread of this process."""
    app = create_app(
        Settings(
            folder=folder,
            public_url="http://facebook.test",
            apps=dict([OUR_APP, OTHER_APP]),
            deauthorize_url="http://127.0.0.1:9/",
            data_deletion_url="http://127.0.0.1:9/",
        )
    )
    facebook = FacebookServer(url="", directory=app.extensions[EXTENSION])
    app.wsgi_app = _Watched(app.wsgi_app, facebook)  # type: ignore[method-assign]  # Flask's own way
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    facebook.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="facebook", daemon=True)
    thread.start()
    try:
        yield facebook
    finally:
        facebook.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Watched:
    """Records each call, and answers it out of turn when a test asked for that."""

    def __init__(self, app: WSGIApplication, facebook: FacebookServer) -> None:
        self._app = app
        self._facebook = facebook

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        call = Call(path=environ["PATH_INFO"], query=dict(parse_qsl(environ["QUERY_STRING"])))
        self._facebook.calls.append(call)
        for path, answers in self._facebook.next_answers.items():
            if answers and call.path.endswith(path):
                return answers.popleft()()(environ, start_response)
        return self._app(environ, start_response)


class _Silent(WSGIRequestHandler):
    """Werkzeug's handler without its access log."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the tests read the record instead."""
