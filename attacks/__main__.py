"""Attacks from the command line: each prints its figures, and ends with 1 where the control failed."""

import typer

from attacks import challenge_races, differencing, header_spoofing, ocr, routes, sms_pumping, sound

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.callback()
def commands() -> None:
    """Attacks on the running system, each bounded, with the figures that show whether the control held."""


app.command("challenge-races")(challenge_races.run)
app.command("differencing")(differencing.main)
app.command("header-spoofing")(header_spoofing.main)
app.command("ocr")(ocr.run)
app.command("routes")(routes.command)
app.command("sms-pumping")(sms_pumping.main)
app.command("sound")(sound.run)

if __name__ == "__main__":
    app()
