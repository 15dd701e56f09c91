"""python -m portal serve"""

import typer

from chassis.http import Address
from chassis.http import serve as run
from chassis.logs import configure
from chassis.settings import read
from portal.bootstrap import build
from portal.settings import Settings

app = typer.Typer(add_completion=False, help="The city portal and the dashboards.")


@app.callback()
def main() -> None:
    """Keeps `serve` a named command."""


@app.command()
def serve() -> None:
    """Serve the pages. Example: PORTAL_PORT=8000 python -m portal serve."""
    settings = read(Settings)
    configure("portal", level=settings.log_level)
    run(
        build(settings),
        public=Address(settings.host, settings.port),
        operations=Address(settings.operations_host, settings.operations_port),
    )


if __name__ == "__main__":
    app()
