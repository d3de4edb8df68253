"""`stack.json`: where everything is, for scripts, tools and tests."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from igloo_local.errors import StackError
from igloo_local.files import write_secret

FILE_NAME = "stack.json"


@dataclass(kw_only=True)
class Addresses:
    """The content of the file; it holds passwords and tokens, so only its owner may read it."""

    gateway: str = ""
    docs: str = ""
    facebook: str = ""
    facebook_app_id: str = ""
    facebook_app_secret: str = ""
    facebook_other_app: Mapping[str, str] = field(default_factory=dict)
    s3: str = ""
    broker: str = ""
    services: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    databases: Mapping[str, str] = field(default_factory=dict)
    logs: str = ""
    pid: int = 0
    pids: Mapping[str, int] = field(default_factory=dict)
    people: Sequence[Mapping[str, str]] = ()

    def write(self, folder: Path) -> None:
        """Replace the file at once, so that no reader sees half of it."""
        write_secret(folder / FILE_NAME, json.dumps(vars(self), indent=2, ensure_ascii=False) + "\n")


def read_addresses(folder: Path) -> dict[str, Any]:
    """Read the file of the stack that runs in `folder`."""
    return cast(dict[str, Any], json.loads((folder / FILE_NAME).read_text()))


def running_addresses(folder: Path) -> dict[str, Any]:
    """Read it likewise, with a moment's patience for a stack that is just writing it.

    Raises:
        StackError: no stack runs there.
    """
    deadline = time.monotonic() + 1
    while not (folder / FILE_NAME).exists():
        if time.monotonic() > deadline:
            raise StackError(f"igloo does not run in {folder}; `make run` starts it")
        time.sleep(0.05)
    return read_addresses(folder)
