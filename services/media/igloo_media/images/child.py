"""The child process: takes one photo a line on stdin, answers one line on stdout, and may die of a photo."""

import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pyvips

from igloo_media.images.confinement import confine
from igloo_media.images.outcome import ImageRejected, Photo, RenditionFile, as_message
from igloo_media.images.pixels import cut_thumb, render
from igloo_media.images.squares import FocalPoint
from igloo_media.images.texts import forget_messages, read_any_bytes

TASKS: dict[str, Callable[[Path, Path, FocalPoint | None], Photo | RenditionFile]] = {
    "render": render,
    "cut_thumb": cut_thumb,
}


def main() -> int:
    """Answer until stdin ends, which it does when the worker goes away, however it goes."""
    answers = _reserved_stdout()
    limits = json.loads(sys.argv[1])
    read_any_bytes()
    pyvips.cache_set_max(0)  # a photo comes once: an operation cache would only hold memory
    confine(memory_bytes=limits["memory_bytes"], written_bytes=limits["written_bytes"])
    for line in sys.stdin:
        _allow_cpu(limits["cpu_seconds"])
        forget_messages()
        print(_answer(json.loads(line)), file=answers, flush=True)
    return 0


def _answer(request: dict[str, Any]) -> str:
    source, folder = Path(request["source"]), Path(request["folder"])
    try:
        return json.dumps(as_message(TASKS[request["task"]](source, folder, request["focal_point"])))
    except ImageRejected as rejected:
        return json.dumps(as_message(rejected))


def _reserved_stdout() -> IO[str]:
    """Keep the real stdout for answers; whatever a library prints goes to stderr instead."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _allow_cpu(seconds: int) -> None:
    """Give this photo its CPU time; past it the system sends SIGXCPU, which ends the process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime) + 1 + seconds, hard))


if __name__ == "__main__":
    sys.exit(main())
