"""Amazon SNS on a loopback port: moto stands in for it, and faults on order for what moto never has."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson
from moto.core.request import Request
from moto.sns.models import sns_backends
from moto.sns.responses import SNSResponse
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from igloo_social.settings import PushSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from moto.sns.models import SNSBackend

REGION = "us-east-1"
# moto takes everybody for this one.
ACCOUNT = "123456789012"
KINDS = {"apns": "APNS", "apns_sandbox": "APNS_SANDBOX", "fcm": "GCM"}


@dataclass(frozen=True)
class Fault:
    """What AWS answers instead, once; without a code, nothing before the client's patience ends."""

    action: str
    code: str | None
    status: int = 400
    words: str = "As ordered"


@dataclass(frozen=True)
class Published:
    """What was pushed to an endpoint, taken or not."""

    endpoint_arn: str
    kind: str
    payload: dict[str, Any]
    attributes: dict[str, str]


@dataclass(kw_only=True)
class SnsServer:
    """A running stand-in, and what it was asked."""

    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    patience: threading.Event = field(default_factory=threading.Event)

    @property
    def backend(self) -> SNSBackend:
        """What moto holds."""
        found: SNSBackend = sns_backends[ACCOUNT][REGION]
        return found

    def settings(self, *platforms: str) -> PushSettings:
        """Make platform applications, of every platform or of those named, and say how they are reached."""
        arns = {
            platform: self.backend.create_platform_application("igloo", KINDS[platform], {}).arn
            for platform in platforms or KINDS
        }
        return PushSettings(
            applications=arns,
            region=REGION,
            endpoint=self.url,
            access_key_id="test",
            secret_access_key="test-secret",
        )

    def tokens(self) -> dict[str, str]:
        """Return the token of each endpoint by ARN."""
        return {arn: endpoint.token for arn, endpoint in self.backend.platform_endpoints.items()}

    def disable(self, endpoint_arn: str) -> None:
        """Have the platform's push service not know the phone any more."""
        self.backend.platform_endpoints[endpoint_arn].attributes["Enabled"] = False

    def fail(self, action: str, code: str | None, status: int = 400, words: str = "As ordered") -> None:
        """Order what the next call of an action is answered with."""
        self.faults.append(Fault(action, code, status, words))

    def empty(self) -> None:
        """Forget everything."""
        self.backend.reset()
        for kept in (self.faults, self.calls, self.published):
            kept.clear()

    def answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a call as AWS's query protocol has it."""
        # moto keeps its things in dictionaries, and looks after no thread: calls of AWS are atomic.
        with _ONE_AT_A_TIME:
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            environ["wsgi.input"] = BytesIO(body)
            form = dict(parse_qsl(body.decode(), keep_blank_values=True))
            action = form["Action"]
            self.calls.append(action)
            if action == "Publish":
                self.published.append(_published(form))
            fault = next((each for each in self.faults if each.action == action), None)
            if fault is None:
                status, headers, text = SNSResponse.dispatch(_Received(environ))
                return Response(text, status=status, headers=headers)(environ, start_response)
            self.faults.remove(fault)
        if fault.code is None:
            self.patience.wait(timeout=20)
        error = f"<Code>{fault.code}</Code><Message>{fault.words}</Message>"
        refusal = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>"
        return Response(refusal, status=fault.status, content_type="text/xml")(environ, start_response)


@contextmanager
def running_sns() -> Iterator[SnsServer]:
    """Run one on a free port."""
    sns = SnsServer()
    server = make_server("127.0.0.1", 0, sns.answer, threaded=True, request_handler=_Silent)
    sns.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield sns
    finally:
        sns.patience.set()
        server.shutdown()
        thread.join()
        server.server_close()


_ONE_AT_A_TIME = threading.Lock()


def _published(form: dict[str, str]) -> Published:
    assert form["MessageStructure"] == "json"
    ((kind, payload),) = orjson.loads(form["Message"]).items()
    entry = "MessageAttributes.entry"
    names = {key.split(".")[2]: value for key, value in form.items() if key.endswith(".Name")}
    return Published(
        endpoint_arn=form["TargetArn"],
        kind=kind,
        payload=orjson.loads(payload),
        attributes={name: form[f"{entry}.{n}.Value.StringValue"] for n, name in names.items()},
    )


class _Received(Request):
    from_wsgi_server = True


class _Silent(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Write nothing."""
