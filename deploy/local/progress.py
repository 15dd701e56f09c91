"""What `make run` shows: one line a part; spinners and a bar on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from deploy.local.errors import StackError

NAME_WIDTH = 24

Advance = Callable[[int], None]


class Report:
    """Prints for a person who waits; everything detailed is in the logs."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self._live = Progress(
            SpinnerColumn(),
            TextColumn(f"{{task.description:<{NAME_WIDTH}}}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[count]}"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )

    @contextmanager
    def waiting_for(self, name: str, total: int | None = None) -> Iterator[Advance]:
        """Shows `name` for as long as the block runs; with a `total`, call it with how many are done."""
        task = self._live.add_task(name, total=total, count="")
        self._live.start()

        def advance(done: int) -> None:
            self._live.update(task, completed=done, count=f"{done} of {total}")

        try:
            yield advance
        finally:
            self._live.remove_task(task)
            if not self._live.tasks:
                self._live.stop()

    def ready(self, name: str, what: str, seconds: float) -> None:
        text = f"{name:<{NAME_WIDTH}} {what}".rstrip()
        self.console.print(f"[green]✓[/] {escape(text)} [dim]({seconds:.1f} s)[/]")

    def say(self, text: str) -> None:
        self.console.print(escape(text))

    def failed(self, error: StackError) -> None:
        """The problem and what to do in one line, then the log lines it came with."""
        self.console.print(f"[red]✗[/] {escape(str(error))}")
        for line in error.details:
            self.console.print(f"  [dim]{escape(line)}[/]")
