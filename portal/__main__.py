"""python -m portal"""

import typer

from chassis import traces
from chassis.checking import command as checking
from chassis.http import Address
from chassis.http import serve as run
from chassis.logs import configure
from chassis.settings import read
from portal import checks, form_commands, poster_commands
from portal.bootstrap import build
from portal.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The city portal and the dashboards.")
checking.add_to(app, Settings, checks.probes, program="python -m portal", processes=checks.PROCESSES)
app.command()(poster_commands.posters)
app.command()(form_commands.forms)
app.add_typer(poster_commands.keys, name="poster-keys")


@app.command()
def serve() -> None:
    """Serve the pages. Example: PORTAL_PORT=8000 python -m portal serve."""
    settings = read(Settings)
    configure("portal", level=settings.log_level)
    traces.start("portal", settings.traces)
    run(
        build(settings),
        public=Address(settings.host, settings.port),
        operations=Address(settings.operations_host, settings.operations_port),
    )


if __name__ == "__main__":
    app()
