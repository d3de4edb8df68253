"""The Facebook stand-in as a part of the stack."""

import hashlib
import json
import secrets
import sys
import urllib.parse
import urllib.request
from functools import cached_property
from pathlib import Path

from igloo_local.files import write_secret
from igloo_local.parts.part import Part
from igloo_local.processes import Command
from igloo_local.source import python_path

START_SECONDS = 30.0


class Facebook(Part):
    """A small Facebook on loopback, with igloo's app and one other app that igloo must not trust."""

    name = "facebook"
    title = "Facebook stand-in"

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        *,
        logs: Path | None = None,
        callbacks_to: str = "http://127.0.0.1:9",
    ) -> None:
        """`callbacks_to` is igloo's public address; the default is a port where nothing answers."""
        super().__init__(folder, logs=logs)
        self._wanted_port = port
        self._callbacks_to = callbacks_to

    @cached_property
    def port(self) -> int:
        """The port, the same at every start of this folder."""
        return self.ports.port("facebook", self._wanted_port)

    @property
    def url(self) -> str:
        """Where Graph and the dialog are."""
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def app(self) -> tuple[str, str]:
        """The id and the secret of igloo's app, made up at the first start."""
        path = self.folder / "app.json"
        if not path.exists():
            write_secret(
                path, json.dumps([f"{secrets.randbelow(9 * 10**15) + 10**15}", secrets.token_hex(16)])
            )
        app_id, secret = json.loads(path.read_text())
        return app_id, secret

    @property
    def other_app(self) -> tuple[str, str]:
        """Another app's id and secret, to prove that its tokens do not open igloo."""
        app_id, secret = self.app
        return f"{int(app_id) + 1}", hashlib.sha256(f"other {secret}".encode()).hexdigest()[:32]

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self.begin()
        server = self.add_process(
            "facebook",
            Command(arguments=self._arguments(), environment=self._environment(), folder=self.folder),
        )
        server.start()
        server.wait_ready(self._answers, seconds=START_SECONDS)

    def create_person(self, name: str) -> dict[str, str]:
        """Make a test user through Graph's own call; returns at least id and access_token."""
        app_id, secret = self.app
        query = urllib.parse.urlencode(
            {"access_token": f"{app_id}|{secret}", "name": name, "installed": "true"}
        )
        address = f"{self.url}/v25.0/{app_id}/accounts/test-users"
        with urllib.request.urlopen(address, data=query.encode(), timeout=10) as answer:  # noqa: S310 - our own server
            person: dict[str, str] = json.load(answer)
        return person

    def _arguments(self) -> list[str]:
        options = ["--workers=1", "--threads=4", "--graceful-timeout=1", "--no-control-socket"]
        return [
            sys.executable,
            "-m",
            "gunicorn",
            f"--bind=127.0.0.1:{self.port}",
            *options,
            "igloo_local.facebook.wsgi:app",
        ]

    def _environment(self) -> dict[str, str]:
        return {
            "PYTHONPATH": python_path("infra/local"),
            "FACEBOOK_APP_ID": self.app[0],
            "FACEBOOK_APP_SECRET": self.app[1],
            "IGLOO_STANDIN_OTHER_APP_ID": self.other_app[0],
            "IGLOO_STANDIN_OTHER_APP_SECRET": self.other_app[1],
            "IGLOO_STANDIN_FOLDER": str(self.folder),
            "IGLOO_STANDIN_URL": self.url,
            "IGLOO_STANDIN_DEAUTHORIZE_URL": f"{self._callbacks_to}/v1/auth/facebook/deauthorize",
            "IGLOO_STANDIN_DATA_DELETION_URL": f"{self._callbacks_to}/v1/auth/facebook/data-deletion",
        }

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/healthz", timeout=2).close()  # noqa: S310 - our own server
        except OSError:
            return False
        return True
