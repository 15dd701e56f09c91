import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import clean, lock
from deploy.local.errors import StackError
from deploy.local.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / ".local")


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    child = subprocess.Popen(["sleep", "60"])
    yield child
    child.kill()
    child.wait()


def test_a_second_stack_of_a_checkout_is_refused_and_told_which_runs(layout: Layout) -> None:
    with (
        lock.held(layout),
        pytest.raises(StackError, match=rf"already running \(process {os.getpid()}\)"),
        lock.held(layout),
    ):
        pytest.fail("held twice")
    with lock.held(layout):
        assert lock.is_held(layout)
    assert not lock.is_held(layout)


def test_addresses_are_told_only_of_a_stack_that_is_up(layout: Layout) -> None:
    with pytest.raises(StackError, match="No stack of this checkout is running"):
        lock.running_urls(layout)
    with lock.held(layout):
        with pytest.raises(StackError, match="still starting"):
            lock.running_urls(layout)
        lock.record_urls(layout, {"portal": "http://127.0.0.1:8000"})
        assert lock.running_urls(layout) == {"portal": "http://127.0.0.1:8000"}
        lock.forget(layout)
        with pytest.raises(StackError, match="still starting"):
            lock.running_urls(layout)


def test_what_a_killed_supervisor_left_running_is_ended_and_named(
    layout: Layout, sleeper: "subprocess.Popen[bytes]"
) -> None:
    with lock.held(layout):
        lock.record_processes(layout, {"kafka": sleeper.pid})
        assert lock.end_leftovers(layout) == ["kafka"]
        assert sleeper.wait(5) != 0
        assert lock.end_leftovers(layout) == []


def test_another_process_that_got_the_same_id_is_left_alone(
    layout: Layout, sleeper: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    with lock.held(layout):
        with monkeypatch.context() as earlier:
            earlier.setattr(lock, "_start_time", lambda _pid: 1)
            lock.record_processes(layout, {"kafka": sleeper.pid})
        assert lock.end_leftovers(layout) == []
    assert sleeper.poll() is None


def test_clean_removes_data_and_keys_and_keeps_downloads(layout: Layout) -> None:
    for folder in (layout.jars, layout.kafka, layout.keys, layout.logs, layout.outbox, layout.root / "node"):
        folder.mkdir(parents=True)
        (folder / "file").touch()
    clean.clean(layout)
    assert {path.name for path in layout.root.iterdir()} == {"jars", "node", "run"}


def test_clean_refuses_while_a_stack_runs(layout: Layout) -> None:
    layout.kafka.mkdir(parents=True)
    with lock.held(layout), pytest.raises(StackError, match="already running"):
        clean.clean(layout)
    assert layout.kafka.exists()


def test_distclean_leaves_the_checkout_as_cloned(layout: Layout, tmp_path: Path) -> None:
    for folder in (layout.jars, tmp_path / ".venv", tmp_path / "portal" / "static", tmp_path / "contracts"):
        folder.mkdir(parents=True)
    clean.clean_all(layout, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"portal", "contracts"}
