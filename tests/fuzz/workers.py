"""Several workers at once, each a process of its own, as in production."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from multiprocessing.connection import Connection

from fuzz.runs import Share, worked_off
from fuzz.tally import Tally
from igloo_media.images.limits import ChildLimits


def worked_off_together(whole: Share) -> Tally:
    """Have each worker, a process of its own, take its share; one that dies is a violation."""
    spawned = multiprocessing.get_context("spawn")
    tally, workers = Tally(), []
    for number in range(whole.step):
        receiving, sending = spawned.Pipe(duplex=False)
        worker = spawned.Process(target=_work, args=(replace(whole, first=whole.first + number), sending))
        worker.start()
        sending.close()
        workers.append((worker, receiving))
    for worker, receiving in workers:
        try:
            tally.add(receiving.recv())
        except EOFError:
            tally.violations.append("a parent died")
        worker.join()
        if worker.exitcode:
            tally.violations.append(f"a parent ended with {worker.exitcode}")
    return tally


def _work(share: Share, answer: Connection) -> None:
    answer.send(worked_off(share, limits=ChildLimits()))
    answer.close()
