"""What every part of the stack has in common: a folder, a log, child processes, start and stop."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from igloo_local import leftovers
from igloo_local.errors import StackError
from igloo_local.flag import Flag
from igloo_local.ports import PortBook
from igloo_local.processes import ChildProcess, Command


class Part(ABC):
    """One part: `start()` returns when it is ready to be used, `stop()` when all its processes have ended."""

    name: str
    title: str

    def __init__(self, folder: Path, *, logs: Path | None = None) -> None:
        self.folder = folder.absolute()
        self.logs = (logs or folder / "logs").absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ports = PortBook(self.folder)
        self.processes: list[ChildProcess] = []
        self.tasks: list[ChildProcess] = []
        self.abandoned = Flag()

    @property
    @abstractmethod
    def url(self) -> str:
        """Where the part is reached."""

    @property
    def place(self) -> str:
        """Where it is, without the secrets that an address may hold."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port}"

    @abstractmethod
    def start(self) -> None:
        """Start the part and wait until it is ready.

        Raises:
            StackError: it does not start; with its last log lines.
        """

    def stop(self) -> None:
        """Stop the processes of the part, the last one started first."""
        for process in reversed([*self.tasks, *self.processes]):
            process.stop()

    def begin(self) -> None:
        """End what an earlier start left alive, and forget its processes.

        Only then is it known which of the remembered ports are free.
        """
        for record in self.folder.glob("*.process.json"):
            leftovers.end(record)
        self.processes.clear()
        self.tasks.clear()

    def add_process(
        self, name: str, command: Command, *, before_start: Callable[[], None] = lambda: None
    ) -> ChildProcess:
        """Describe one more lasting process of this part."""
        process = self._child(name, command, before_start)
        self.processes.append(process)
        return process

    def add_task(self, name: str, command: Command) -> ChildProcess:
        """Describe a program of this part that does one thing and ends."""
        task = self._child(name, command)
        self.tasks.append(task)
        return task

    def _child(
        self, name: str, command: Command, before_start: Callable[[], None] = lambda: None
    ) -> ChildProcess:
        def begin() -> None:
            if self.abandoned.is_set():
                raise StackError(f"{name} is not started: the start of the stack has been given up")
            before_start()

        return ChildProcess(
            name, command, run_folder=self.folder, log=self.logs / f"{name}.log", before_start=begin
        )

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
