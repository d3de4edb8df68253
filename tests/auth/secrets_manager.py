"""AWS Secrets Manager on a loopback port, as moto stands in for it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import boto3
from moto.core.request import Request
from moto.secretsmanager.models import secretsmanager_backends
from moto.secretsmanager.responses import SecretsManagerResponse
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from mypy_boto3_secretsmanager import SecretsManagerClient

SECRET = "igloo/signing-keys"
REGION = "us-east-1"
# moto takes everybody for this one.
ACCOUNT = "123456789012"


@dataclass(kw_only=True)
class SecretsManager:
    """A running stand-in; `environ` is how boto3 finds it and who it takes us for."""

    url: str
    environ: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Name the variables."""
        self.environ = {
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test-secret",
            "AWS_REGION": REGION,
            # Or boto3 would look for a role at the address where a machine of AWS has its own.
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @contextmanager
    def client(self) -> Iterator[SecretsManagerClient]:
        """Look at it from outside."""
        client = boto3.client(
            "secretsmanager",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test-secret",
        )
        yield client
        client.close()

    def labels(self) -> dict[str, list[str]]:
        """Return each version's labels."""
        with self.client() as client:
            versions = client.list_secret_version_ids(SecretId=SECRET, IncludeDeprecated=True)["Versions"]
        return {version["VersionId"]: sorted(version.get("VersionStages", [])) for version in versions}

    def empty(self) -> None:
        """Forget every secret."""
        secretsmanager_backends[ACCOUNT][REGION].reset()


@contextmanager
def running_secrets_manager() -> Iterator[SecretsManager]:
    """Run one on a free port; moto's own server would need as much again installed."""
    server = make_server("127.0.0.1", 0, _answer, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield SecretsManager(url=f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# moto keeps its things in dictionaries, and looks after no thread: AWS's calls are atomic, so are these.
_ONE_AT_A_TIME = threading.Lock()


class _Received(Request):
    from_wsgi_server = True


def _answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    with _ONE_AT_A_TIME:
        status, headers, body = SecretsManagerResponse.dispatch(_Received(environ))
    return Response(body, status=status, headers=headers)(environ, start_response)


class _Silent(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Write nothing."""
