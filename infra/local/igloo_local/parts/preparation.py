"""What has to happen once before the services run: migrations, then queues and the bucket."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from igloo_local.files import write_secret
from igloo_local.parts.part import Part
from igloo_local.processes import ChildProcess, Command
from igloo_local.source import python_path

MIGRATE_SECONDS = 120.0
FINISH_SECONDS = 180.0


@dataclass(frozen=True, kw_only=True)
class BootStep:
    """A flask command of a service, and where something must listen before it makes sense."""

    service: str
    words: str
    place: tuple[str, int] | None


class Preparation(Part):
    """One process that ends when everything has been done."""

    name = "prepare"
    title = "Preparation"

    def __init__(self, folder: Path, *, logs: Path | None = None) -> None:
        super().__init__(folder, logs=logs)
        self._plan = self.folder / "plan.json"
        self._migrated = self.folder / "migrated"
        self._task: ChildProcess | None = None

    @property
    def url(self) -> str:
        """Nowhere: nobody talks to it."""
        return ""

    def configure(self, environments: Mapping[str, Mapping[str, str]], steps: Sequence[BootStep]) -> None:
        """Write down what is to be done as which service."""
        plan = {
            "services": environments,
            "steps": [asdict(step) for step in steps],
            "migrated_file": str(self._migrated),
        }
        write_secret(self._plan, json.dumps(plan))

    def start(self) -> None:
        """Begin, and return when every schema is at its newest migration."""
        self.begin()
        self._migrated.unlink(missing_ok=True)
        roots = [f"services/{name}" for name in json.loads(self._plan.read_text())["services"]]
        command = Command(
            arguments=[sys.executable, "-m", "igloo_local.prepare", str(self._plan)],
            environment={"PYTHONPATH": python_path("libs/common", *roots, "infra/local")},
            folder=self.folder,
        )
        self._task = self.add_task("prepare", command)
        self._task.start_task()
        self._task.wait_ready(self._migrated.exists, seconds=MIGRATE_SECONDS)

    def wait_until_done(self) -> None:
        """Wait for the rest: queues declared, bucket made.

        Raises:
            StackError: a step failed; with what it said.
        """
        if self._task is not None:
            self._task.wait_for_end(seconds=FINISH_SECONDS)
