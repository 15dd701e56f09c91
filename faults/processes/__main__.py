"""python -m faults.processes intake|verification-worker|aggregation-worker|refold"""

import os

import typer

from faults.processes.failpoints import Failpoint

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


def _failpoint() -> Failpoint:
    return Failpoint(dict(os.environ))


@app.command()
def intake() -> None:
    """Intake with a failpoint. Example: FAULTS_FAILPOINT=after-append python -m faults.processes intake"""
    from faults.processes.intake import serve  # noqa: PLC0415  only what this process is made of

    serve(_failpoint())


@app.command()
def verification_worker() -> None:
    """Verification's worker with a failpoint. Example: python -m faults.processes verification-worker"""
    from faults.processes.verification_worker import serve  # noqa: PLC0415

    serve(_failpoint())


@app.command()
def aggregation_worker() -> None:
    """Aggregation's worker with a failpoint. Example: python -m faults.processes aggregation-worker"""
    from faults.processes.aggregation_worker import serve  # noqa: PLC0415

    serve(_failpoint())


@app.command()
def refold() -> None:
    """Aggregation's worker in a group of its own. Example: python -m faults.processes refold"""
    from faults.processes.aggregation_worker import serve_apart  # noqa: PLC0415

    serve_apart()


if __name__ == "__main__":
    app()
