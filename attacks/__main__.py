"""python -m attacks NAME: each attack prints its figures, and exits 1 where the control failed."""

import typer

from attacks import challenge_races, ocr, sound

app = typer.Typer(add_completion=False, help=__doc__, no_args_is_help=True)
app.command("challenge-races")(challenge_races.run)
app.command("ocr")(ocr.run)
app.command("sound")(sound.run)

if __name__ == "__main__":
    app()
