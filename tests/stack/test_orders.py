"""A running stack is told what to do by another process, which hears what became of it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from igloo_local.cli import main
from igloo_local.errors import StackError
from igloo_local.orders import Orders, give_order


def wait_for(done: threading.Event) -> None:
    assert done.wait(20)


def test_an_order_is_carried_out_before_its_giver_goes_on(tmp_path: Path) -> None:
    done: list[str] = []
    with Orders(tmp_path, done.append):
        give_order(tmp_path, "social", holder_pid=os.getpid())
        give_order(tmp_path, "auth", holder_pid=os.getpid())

        assert done == ["social", "auth"]
        assert [*(tmp_path / "orders").iterdir()] == []


def test_what_cannot_be_done_is_told_with_the_log(tmp_path: Path) -> None:
    def refuse(_: str) -> None:
        raise StackError("media-web-extra-1 ended with status 78", log_lines=["IGLOO_S3_BUCKET is not set"])

    with Orders(tmp_path, refuse), pytest.raises(StackError, match="status 78") as caught:
        give_order(tmp_path, "media", holder_pid=os.getpid())

    assert caught.value.log_lines == ("IGLOO_S3_BUCKET is not set",)


def test_a_stack_that_ends_meanwhile_is_not_waited_for(tmp_path: Path) -> None:
    no_process = 2**22  # ids are smaller than this
    done = threading.Event()
    with Orders(tmp_path, lambda _: wait_for(done)):
        try:
            with pytest.raises(StackError, match="ended before it was done"):
                give_order(tmp_path, "social", holder_pid=no_process)
        finally:
            done.set()


def test_a_stack_that_does_not_run_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IGLOO_LOCAL_DIR", str(tmp_path))

    assert main(["restart", "social"]) == 1
    assert f"igloo does not run in {tmp_path}" in capsys.readouterr().err


def test_a_service_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["restart", "walrus"])

    assert caught.value.code == 2
    assert "invalid choice: 'walrus'" in capsys.readouterr().err
