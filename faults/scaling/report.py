"""What a trial found: as a table and as Markdown."""

from rich.console import Console
from rich.table import Table

from faults.judging import verdict
from faults.scaling.running import Results


def summary(results: Results) -> list[tuple[str, str]]:
    order = results.order
    return [
        ("brokers", str(order.brokers)),
        ("load", f"{order.rate:g} ratings a second wanted, three times {order.ratings} kept"),
        *((what, f"{seconds:g} s") for what, seconds in results.seconds.items()),
        *((f"done by {replica}", str(done)) for replica, done in results.work.items()),
        ("unknown to the caller", str(results.ledger.get("unknown", 0))),
        ("the checker", verdict(results.check) if results.check else "not asked"),
        ("again with", f"make compose-test BROKERS={order.brokers} SEED={order.seed}"),
    ]


def show(results: Results, console: Console) -> None:
    table = Table("scaling", "")
    for name, value in summary(results):
        table.add_row(name, value)
    console.print(table)
    for line in results.red:
        console.print(f"[bold red]✗[/] {line}", highlight=False)
    if not results.red:
        console.print("[bold green]✓[/] nothing lost, nothing doubled, nothing invented")


def markdown(results: Results) -> str:
    lines = ["# Scaling in containers", "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in summary(results)]
    if results.red:
        lines += ["", "## What was wrong", "", *(f"- {line}" for line in results.red)]
        for wrong, examples in results.check.get("examples", {}).items():
            lines += ["", f"### {wrong}", "", *(f"- {example}" for example in examples)]
    return "\n".join(lines) + "\n"
