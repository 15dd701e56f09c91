"""What verification's processes need to be there."""

from collections.abc import Collection, Iterator
from pathlib import Path

from chassis.checking import files, kafka, postgres, web
from chassis.checking.findings import Probe
from chassis.checking.kafka import Work
from services.verification.adapters.key_files import CHALLENGE_KEY, PHONE_CODE_KEY, SEALING, WEBHOOK_KEY
from services.verification.adapters.outcome_log import TRANSACTIONS
from services.verification.adapters.submissions import GROUP
from services.verification.settings import Settings

PROCESSES = ("serve", "worker")
CREATE = "python -m services.verification keys create --edition EDITION"
MIGRATIONS = Path(__file__).parent / "migrations"


def work() -> Work:
    return kafka.work_of("verification", group=GROUP, transactions=f"{TRANSACTIONS}0")


def probes(settings: Settings, processes: Collection[str]) -> Iterator[Probe]:
    yield postgres.probe(
        settings.database_url,
        service="verification",
        migrations=MIGRATIONS,
        schemas=("public",),
        privileges=postgres.WRITE,
    )
    worker = "worker" in processes
    names = (CHALLENGE_KEY, PHONE_CODE_KEY, WEBHOOK_KEY, f"*{SEALING}") if worker else (CHALLENGE_KEY,)
    yield files.keys(settings.keys_dir, names, make=CREATE, setting="VERIFICATION_KEYS_DIR")
    if worker:
        yield kafka.probe(settings.kafka, work(), setting="VERIFICATION_KAFKA_BOOTSTRAP")
        if settings.sms_gateway == "http":
            yield web.connection("SMS gateway", settings.sms_http_url, "VERIFICATION_SMS_HTTP_URL")
        else:
            yield files.writable(settings.outbox_dir, "SMS outbox", setting="VERIFICATION_OUTBOX_DIR")
