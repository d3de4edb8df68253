"""A private RabbitMQ node: own name, ports, data, cookie and epmd; a system-wide broker is never touched."""

import hashlib
import json
import secrets
import shutil
import signal
import socket
import subprocess
from functools import cached_property
from pathlib import Path

from igloo_local.errors import StackError
from igloo_local.files import write_atomically, write_secret
from igloo_local.parts.part import Part
from igloo_local.processes import Command
from igloo_local.settings import inherited_environment
from igloo_local.waiting import accepts_connections, wait_until

START_SECONDS = 90.0
CONTROL_SECONDS = 60.0
_USER = "igloo"
# Debian's /usr/sbin/rabbitmq-server is a wrapper that switches to the user `rabbitmq`; here is what it wraps.
_SCRIPT_FOLDERS = "/usr/lib/rabbitmq/bin:/usr/local/sbin:/opt/homebrew/sbin:/usr/local/bin:/opt/homebrew/bin"
_EPMD_FOLDERS = "/usr/bin:/usr/local/bin:/opt/homebrew/bin"
_CONFIGURATION = """\
listeners.tcp.local = 127.0.0.1:{port}
default_user = {user}
default_pass = {password}
log.console = true
log.console.level = info
log.file = false
# A laptop's disk is rarely as empty as a server's, and a blocked publisher helps nobody there.
disk_free_limit.absolute = 50MB
"""


def find_server() -> str | None:
    """Return RabbitMQ's start script if the machine has one."""
    return shutil.which("rabbitmq-server", path=_SCRIPT_FOLDERS)


class RabbitMQ(Part):
    """A broker node whose queues live in `folder`; one generated account owns its virtual host `/`."""

    name = "rabbitmq"
    title = "RabbitMQ"

    def __init__(self, folder: Path, port: int | None = None, *, logs: Path | None = None) -> None:
        super().__init__(folder, logs=logs)
        self._wanted_port = port
        self._home = self.folder / "home"

    @cached_property
    def port(self) -> int:
        """The AMQP port, the same at every start of this folder."""
        return self.ports.port("amqp", self._wanted_port)

    @property
    def url(self) -> str:
        """The AMQP address with the account in it."""
        return f"amqp://{_USER}:{self._secrets['password']}@127.0.0.1:{self.port}//"

    @property
    def node_name(self) -> str:
        """A name no other folder has; RabbitMQ finds its data by it, so it must not change."""
        return f"igloo-{hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]}@localhost"

    def start(self) -> None:
        """Start the name server and the node, and wait until the node speaks AMQP."""
        self.begin()
        self._write_configuration()
        name_server = self.add_process("rabbitmq-epmd", self._name_server_command())
        name_server.start()
        name_server.wait_ready(self._name_server_answers, seconds=START_SECONDS)
        broker = self.add_process("rabbitmq", self._broker_command(), before_start=self._need_name_server)
        broker.start()
        broker.wait_ready(self._speaks_amqp, seconds=START_SECONDS)

    def control(self, *arguments: str) -> str:
        """Have `rabbitmqctl` ask or tell this node something; returns what it says.

        Raises:
            StackError: the node refuses, or does not answer.
        """
        program = shutil.which("rabbitmqctl", path=_SCRIPT_FOLDERS) or "rabbitmqctl"
        done = subprocess.run(
            [program, "--quiet", "--node", self.node_name, *arguments],
            env={**inherited_environment(), **self._environment()},
            capture_output=True,
            text=True,
            timeout=CONTROL_SECONDS,
            check=False,
        )
        if done.returncode:
            raise StackError(
                f"rabbitmqctl {' '.join(arguments)} failed",
                log_lines=(done.stdout + done.stderr).splitlines(),
            )
        return done.stdout

    @cached_property
    def _secrets(self) -> dict[str, str]:
        path = self.folder / "secrets.json"
        if not path.exists():
            made_up = {"password": secrets.token_urlsafe(24), "cookie": secrets.token_hex(20)}
            write_secret(path, json.dumps(made_up))
        known: dict[str, str] = json.loads(path.read_text())
        return known

    def _write_configuration(self) -> None:
        configuration = _CONFIGURATION.format(port=self.port, user=_USER, password=self._secrets["password"])
        write_secret(self.folder / "rabbitmq.conf", configuration)
        write_atomically(self.folder / "enabled_plugins", "[].\n")
        # An empty file of our own: the default would be /etc/rabbitmq/rabbitmq-env.conf.
        write_atomically(self.folder / "rabbitmq-env.conf", "")
        self._home.mkdir(exist_ok=True)
        cookie = self._home / ".erlang.cookie"
        if not cookie.exists():
            write_atomically(cookie, self._secrets["cookie"], mode=0o400)

    def _name_server_command(self) -> Command:
        program = shutil.which("epmd", path=_EPMD_FOLDERS) or shutil.which("epmd")
        if program is None:
            raise StackError("RabbitMQ needs Erlang's `epmd`, which is not on this machine")
        arguments = [program, "-port", str(self.ports.port("epmd")), "-address", "127.0.0.1"]
        return Command(arguments=arguments, environment={"HOME": str(self._home)}, stop_signal=signal.SIGKILL)

    def _broker_command(self) -> Command:
        script = find_server()
        if script is None:
            raise StackError("`rabbitmq-server` is not on this machine")
        return Command(
            arguments=[script], environment=self._environment(), folder=self.folder, stop_seconds=30
        )

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self._home),
            "RABBITMQ_NODENAME": self.node_name,
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.logs),
            "RABBITMQ_PID_FILE": str(self.folder / "rabbitmq.pid"),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.ports.port("dist")),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(self.ports.port("epmd")),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            # Left to themselves, Erlang programs start a name server that leaves the family and outlives it.
            "ERL_AFLAGS": "-start_epmd false",
            # Makes the script *become* the broker: signals arrive there, and no shell stays in between.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _need_name_server(self) -> None:
        """Refuse to start a node that nobody would give its name; who starts it again tries again."""
        wait_until(self._name_server_answers, seconds=5, what="an answer of RabbitMQ's name server")

    def _name_server_answers(self) -> bool:
        return accepts_connections(self.ports.port("epmd"))

    def _speaks_amqp(self) -> bool:
        """Tell whether the node answers a protocol header with AMQP's first method, Connection.Start."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return connection.recv(1) == b"\x01"
        except OSError:
            return False
