"""The worker process pushes, and what it dies over is pushed by the next."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from factories.environment import service_environ
from factories.polling import wait_until
from factories.social_devices import make_device
from factories.social_people import make_person
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_social.models.devices import DEVICES, PUSHES
from igloo_social.operations.notifications import notify
from social.sns_server import running_sns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.orm import Session

    from factories.databases import DatabaseUrls


@contextmanager
def running_worker(environ: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-m", "igloo_social.worker"], env=environ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def test_a_push_whose_worker_is_killed_is_sent_by_the_next(
    session: Session, database_urls: Mapping[str, DatabaseUrls], tmp_path: os.PathLike[str]
) -> None:
    person, actor, post_id = make_person(session), make_person(session), new_id()
    make_device(session, person, registered_at=utc_now())
    notify(
        session, recipient_id=person, kind="like", actor_id=actor, object_id=post_id, post_id=post_id,
        now=utc_now(),
    )  # fmt: skip
    session.commit()
    with running_sns() as sns:
        environ = service_environ(
            "social",
            database_url=database_urls["social"].service,
            broker_url=f"filesystem://{os.fspath(tmp_path)}",
            worker_port="0",
            log_level="ERROR",
            push_apns_application_arn=sns.settings("apns").applications["apns"],
            sns_endpoint=sns.url,
            sns_access_key_id="test",
            sns_secret_access_key="test-secret",
        )
        environ["PYTHONPATH"] = os.pathsep.join(sys.path)
        sns.fail("Publish", None)
        with running_worker(environ) as first:
            wait_until(lambda: bool(sns.published), "the worker asks SNS to publish")
            first.kill()
        session.execute(update(PUSHES).values(due_at=utc_now()))
        session.commit()
        with running_worker(environ) as second:
            wait_until(lambda: len(sns.published) > 1, "the next worker publishes")
            wait_until(lambda: session.scalar(select(PUSHES.c.id)) is None, "the push is done with")
        before, after = sns.published
        sns.empty()

    assert (first.returncode, second.returncode) == (-signal.SIGKILL, 0)
    assert before == after
    session.rollback()
    assert session.scalar(select(DEVICES.c.endpoint_arn)) == after.endpoint_arn
