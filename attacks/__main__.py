"""python -m attacks"""

import typer

from attacks import routes

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.callback()
def commands() -> None:
    """Attacks on the running system (make run), to see whether its controls hold."""


app.command("routes")(routes.command)

if __name__ == "__main__":
    app()
