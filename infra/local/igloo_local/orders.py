"""Orders to a running stack by another process, as files: written whole, taken once, answered in a file."""

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

import psutil

from igloo_local.errors import StackError
from igloo_local.files import write_secret
from igloo_local.waiting import POLL_SECONDS, wait_until

_FOLDER = "orders"
_ORDER, _ANSWER = ".order", ".answer"
_LOOK_SECONDS = 0.1
_TAKEN_SECONDS = 10.0


class Orders:
    """Takes what is ordered in the stack's folder, one after the other, from `with` until its end."""

    def __init__(self, folder: Path, obey: Callable[[str], None]) -> None:
        self._folder = folder / _FOLDER
        self._obey = obey
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look, name="orders", daemon=True)

    def __enter__(self) -> Self:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _look(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            for order in sorted(self._folder.glob(f"*{_ORDER}")):
                self._take(order)

    def _take(self, order: Path) -> None:
        words = order.read_text()
        order.unlink()
        answer: dict[str, object] = {"error": None, "log_lines": []}
        try:
            self._obey(words)
        except (StackError, OSError) as error:
            answer = {"error": str(error), "log_lines": getattr(error, "log_lines", ())}
        write_secret(order.with_suffix(_ANSWER), json.dumps(answer))


def give_order(folder: Path, words: str, *, holder_pid: int) -> None:
    """Have the stack that runs in `folder`, as process `holder_pid`, do something, and wait until it is done.

    Raises:
        StackError: it could not be done, with the reason; or the stack does not answer, or has ended.
    """
    order = folder / _FOLDER / f"{uuid4()}{_ORDER}"
    if not order.parent.exists():
        raise StackError(f"the stack in {folder} takes no orders yet; try again in a moment")
    write_secret(order, words)
    try:
        wait_until(lambda: not order.exists(), seconds=_TAKEN_SECONDS, what="an answer of the running stack")
    finally:
        order.unlink(missing_ok=True)
    answer = order.with_suffix(_ANSWER)
    while not answer.exists():
        if not psutil.pid_exists(holder_pid):
            raise StackError("the stack ended before it was done")
        time.sleep(POLL_SECONDS)
    told = json.loads(answer.read_text())
    answer.unlink()
    if told["error"] is not None:
        raise StackError(told["error"], log_lines=told["log_lines"])
