"""What aggregation's processes need to be there."""

from collections.abc import AsyncIterator, Collection, Iterator
from pathlib import Path

from chassis.checking import kafka, postgres, sign_in
from chassis.checking.findings import Finding, Probe
from chassis.checking.kafka import Work
from services.aggregation.adapters.faust_worker import GROUP
from services.aggregation.adapters.files_handled import InvalidFiles, read_files_handled
from services.aggregation.settings import Settings

PROCESSES = ("serve", "worker")
MIGRATIONS = Path(__file__).parent / "migrations"


def work() -> Work:
    return kafka.work_of("aggregation", group=GROUP)


def probes(settings: Settings, processes: Collection[str]) -> Iterator[Probe]:
    yield postgres.probe(
        settings.database_url,
        service="aggregation",
        migrations=MIGRATIONS,
        schemas=("read_models", "directory"),
        privileges=postgres.WRITE if "worker" in processes else postgres.READ,
    )
    if "worker" in processes:
        yield kafka.probe(settings.kafka, work(), setting="AGGREGATION_KAFKA_BOOTSTRAP")
    if "serve" in processes:
        yield _files_handled(settings)
        if settings.oidc.issuer is not None:
            yield sign_in.provider(
                settings.oidc.issuer, local=settings.oidc.local, setting="AGGREGATION_OIDC_ISSUER"
            )


def _files_handled(settings: Settings) -> Probe:
    what = "files handled"

    async def find() -> AsyncIterator[Finding]:
        try:
            read_files_handled(settings.files_handled_file, settings.required_sample)
        except InvalidFiles as error:
            yield Finding(what, False, f"AGGREGATION_FILES_HANDLED_FILE: {error}")
        else:
            yield Finding(what, True, str(settings.files_handled_file or "nobody has said"))

    return Probe(what, find, "AGGREGATION_FILES_HANDLED_FILE")
