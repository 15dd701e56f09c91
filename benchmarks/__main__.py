"""Benchmarks from the command line: each prints what it measured."""

import typer

from benchmarks import commands as beside
from benchmarks import live_readers, read_cost, scaling

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.callback()
def commands() -> None:
    """Benchmarks on servers of their own, each bounded; and what follows from their figures."""


app.command("whole")(beside.whole)
app.command("quick")(beside.quick)
app.command("check")(beside.check)
app.command("page")(beside.page)
app.command("rebuild")(beside.rebuild)
app.command("reads")(read_cost.main)
app.command("live")(live_readers.main)
app.command("scaling")(scaling.main)

if __name__ == "__main__":
    app()
