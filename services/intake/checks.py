"""What intake needs to be there."""

from collections.abc import Collection

from chassis.checking import files, kafka, sign_in
from chassis.checking.findings import Probe
from chassis.checking.kafka import Work
from contracts.topics import SEALED
from services.intake.adapters.key_files import PSEUDONYM, SECRET
from services.intake.adapters.office_ledger import TRANSACTIONS
from services.intake.settings import Settings

PROCESSES = ("serve",)
CREATE = "python -m services.intake keys create --edition EDITION"
ASK = "write the bearer token there that its operator gave you"


def work() -> Work:
    """Before it publishes an edition, it looks whether its numbers are gone in time."""
    return kafka.work_of("intake", configs=SEALED, transactions=TRANSACTIONS)


def probes(settings: Settings, processes: Collection[str]) -> list[Probe]:
    del processes
    oidc = settings.oidc
    provider = (
        [sign_in.provider(oidc.issuer, local=oidc.local, setting="INTAKE_OIDC_ISSUER")] if oidc.issuer else []
    )
    key = settings.file_system_key_file
    file_system = (
        [files.secret(key, "key for the file system", make=ASK, setting="INTAKE_FILE_SYSTEM_KEY_FILE")]
        if key
        else []
    )
    return [
        kafka.probe(settings.kafka, work(), setting="INTAKE_KAFKA_BOOTSTRAP"),
        files.keys(settings.keys_dir, (SECRET, f"*{PSEUDONYM}"), make=CREATE, setting="INTAKE_KEYS_DIR"),
        *provider,
        *file_system,
    ]
