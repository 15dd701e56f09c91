import asyncio
import io
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from deploy.local import lock, stack
from deploy.local.errors import StackError
from deploy.local.kafka import new_cluster_id, render
from deploy.local.layout import CHECKOUT, Layout
from deploy.local.process import Process, run_to_end, until_ready
from deploy.local.progress import Report
from deploy.local.supervisor import Supervisor

SERVES = "import signal, time; print('up', flush=True); signal.pause()"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SERVES}"


def script(folder: Path, code: str, *, name: str = "part", grace: float = 10.0) -> Process:
    log = folder / f"{name}.log"
    return Process(name, (sys.executable, "-c", code), log, dict(os.environ), grace=grace)


class Part:
    """A process that is ready once it has printed."""

    def __init__(self, process: Process) -> None:
        self.process = process

    async def start(self) -> float:
        await self.process.start()
        return await until_ready(self.process, self._probe, 10)

    async def _probe(self) -> str:
        return "" if self.process.last_lines() else "nothing printed"


async def never() -> str:
    return "the moon"


@pytest.fixture
def printed() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def supervisor(tmp_path: Path, printed: io.StringIO) -> Supervisor:
    layout = Layout(tmp_path)
    layout.run.mkdir(parents=True)
    return Supervisor(layout, Report(Console(file=printed, width=200)))


async def test_a_process_that_ends_before_it_is_ready_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    process = script(tmp_path, "print('reading settings', flush=True); raise SystemExit('no such file')")
    await process.start()
    with pytest.raises(StackError, match="part ended with exit code 1") as caught:
        await until_ready(process, never, 10)
    assert caught.value.details == ("reading settings", "no such file")


async def test_a_deadline_ends_the_waiting_and_says_what_was_missing(tmp_path: Path) -> None:
    process = script(tmp_path, "import signal; signal.pause()")
    await process.start()
    with pytest.raises(StackError, match=r"not ready within 0 s \(the moon\)"):
        await until_ready(process, never, 0.2)
    await process.kill()


async def test_a_command_gives_what_it_printed_or_its_exit_code(tmp_path: Path) -> None:
    assert await run_to_end(script(tmp_path, "print('made')"), 10) == "made\n"
    with pytest.raises(StackError, match="exit code 3"):
        await run_to_end(script(tmp_path, "raise SystemExit(3)"), 10)


async def test_a_command_past_its_deadline_is_killed(tmp_path: Path) -> None:
    process = script(tmp_path, "import signal; signal.pause()")
    with pytest.raises(StackError, match="took longer"):
        await run_to_end(process, 0.2)
    assert not process.running


async def test_a_process_that_ignores_the_request_to_stop_is_killed(tmp_path: Path) -> None:
    part = Part(script(tmp_path, DEAF, grace=0.2))
    await part.start()
    assert not await part.process.stop()
    assert await part.process.wait() == -signal.SIGKILL


async def test_the_log_of_the_run_before_is_kept(tmp_path: Path) -> None:
    process = script(tmp_path, "import os; print(os.getpid())")
    first, second = await run_to_end(process, 10), await run_to_end(process, 10)
    assert (tmp_path / "part.log").read_text() == second
    assert (tmp_path / "part.log.1").read_text() == first


def test_children_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    parent = f"""
import asyncio, sys
sys.path.insert(0, {str(CHECKOUT)!r})
from pathlib import Path
from deploy.local.process import Process, until_ready

async def main():
    child = Process("child", (sys.executable, "-c", {SERVES!r}), Path({str(tmp_path / "child.log")!r}), {{}})
    await child.start()
    async def probe(): return "" if child.last_lines() else "not yet"
    await until_ready(child, probe, 10)
    print(child.pid, flush=True)
    await child.wait()

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        child = os.pidfd_open(int(supervisor.stdout.readline()))
        supervisor.kill()
        try:
            # A pidfd becomes readable when its process ends.
            assert select.select([child], [], [], 10)[0]
        finally:
            os.close(child)


async def test_a_signal_stops_the_parts_in_reverse_order(supervisor: Supervisor, tmp_path: Path) -> None:
    log = tmp_path / "order"
    first, second = (
        Part(
            script(
                tmp_path,
                "import signal, sys\n"
                f"def stop(*_):\n  open({str(log)!r}, 'a').write({name!r} + ' '); sys.exit()\n"
                "signal.signal(signal.SIGTERM, stop)\nprint('up', flush=True)\nwhile True: signal.pause()",
                name=name,
            )
        )
        for name in ("database", "service")
    )

    async def bring_up() -> None:
        await supervisor.start([(first, "")])
        await supervisor.start([(second, "")])
        os.kill(os.getpid(), signal.SIGTERM)

    await asyncio.wait_for(supervisor.run(bring_up), 20)
    assert log.read_text() == "service database "


async def test_a_part_that_dies_stops_the_others_and_is_the_failure(
    supervisor: Supervisor, tmp_path: Path, printed: io.StringIO
) -> None:
    steady, frail = (
        Part(script(tmp_path, SERVES, name="steady")),
        Part(script(tmp_path, SERVES, name="frail")),
    )

    async def bring_up() -> None:
        await supervisor.start([(steady, "here"), (frail, "there")])
        os.kill(frail.process.pid, signal.SIGKILL)

    with pytest.raises(StackError, match="frail ended by signal SIGKILL") as caught:
        await asyncio.wait_for(supervisor.run(bring_up), 20)
    assert caught.value.details == ("up",)
    assert not steady.process.running
    assert "✓ steady" in printed.getvalue()


async def test_a_part_that_cannot_start_stops_those_before_it(supervisor: Supervisor, tmp_path: Path) -> None:
    steady = Part(script(tmp_path, SERVES, name="steady"))

    async def bring_up() -> None:
        await supervisor.start([(steady, "")])
        await supervisor.start([(Part(script(tmp_path, "raise SystemExit(4)", name="frail")), "")])

    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(supervisor.run(bring_up), 20)
    assert caught.group_contains(StackError, match="frail ended with exit code 4")
    assert not steady.process.running
    assert lock.end_leftovers(Layout(tmp_path)) == []


def test_the_public_key_is_found_among_other_output() -> None:
    line = '{"key_id": "2017-1", "public_key": "AAAA"}'
    assert stack.sealing_key_in(f'{{"event": "made"}}\n{line}\nbye\n') == line
    with pytest.raises(StackError, match="no public key"):
        stack.sealing_key_in("nothing\n")


def test_the_configuration_template_is_filled_whole_or_not_at_all() -> None:
    assert render("a={{x}}\nb={{y}}", {"x": "1", "y": "2"}) == "a=1\nb=2"
    with pytest.raises(KeyError, match="y"):
        render("a={{x}}\nb={{y}}", {"x": "1"})


def test_cluster_ids_are_22_characters_and_never_look_like_an_option() -> None:
    ids = {new_cluster_id() for _ in range(200)}
    assert {len(text) for text in ids} == {22}
    assert not any(text.startswith("-") for text in ids)
