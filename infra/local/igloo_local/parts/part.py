"""What every part of the stack has in common: a folder, a log, child processes, start and stop."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from igloo_local.ports import PortBook
from igloo_local.processes import ChildProcess, Command


class Part(ABC):
    """One part: `start()` returns when it is ready to be used, `stop()` when all its processes have ended."""

    name: str

    def __init__(self, folder: Path, *, logs: Path | None = None) -> None:
        self.folder = folder.absolute()
        self.logs = (logs or folder / "logs").absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ports = PortBook(self.folder)
        self.processes: list[ChildProcess] = []

    @property
    @abstractmethod
    def url(self) -> str:
        """Where the part is reached."""

    @abstractmethod
    def start(self) -> None:
        """Start the part and wait until it is ready.

        Raises:
            StackError: it does not start; with its last log lines.
        """

    def stop(self) -> None:
        """Stop the processes of the part, the last one started first."""
        for process in reversed(self.processes):
            process.stop()

    def add_process(
        self, name: str, command: Command, *, before_start: Callable[[], None] = lambda: None
    ) -> ChildProcess:
        """Describe one more process of this part."""
        process = ChildProcess(
            name, command, run_folder=self.folder, log=self.logs / f"{name}.log", before_start=before_start
        )
        self.processes.append(process)
        return process

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
