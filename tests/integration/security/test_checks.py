"""`check` on servers that let each service do its own work alone: it finds that, and what is missing."""

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from chassis.checking import kafka
from chassis.checking.findings import Finding, lines, look
from chassis.checking.kafka import APPLY, Work
from chassis.kafka import KafkaClient
from contracts.topics import RATING_OUTCOMES, SEALED
from services.aggregation import checks as aggregation
from services.aggregation.settings import Settings as Aggregation
from services.intake import checks as intake
from services.intake.adapters.key_files import create_keys as intake_keys
from services.intake.settings import Settings as Intake
from services.verification import checks as verification
from services.verification.adapters.key_files import create_keys as verification_keys
from services.verification.settings import Settings as Verification
from tests.support.certificates import Authority
from tests.support.secured import Secured


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    intake_keys(folder, "2017")
    verification_keys(folder, "2017")
    return folder


async def test_each_process_finds_all_that_it_needs(secured: Secured, keys: Path, tmp_path: Path) -> None:
    probes = [
        *intake.probes(Intake(kafka=secured.kafka("intake"), keys_dir=keys), ("serve",)),
        *verification.probes(
            Verification(
                kafka=secured.kafka("verification"),
                database_url=secured.url("verification_app"),
                keys_dir=keys,
                outbox_dir=tmp_path / "outbox",
            ),
            ("serve", "worker"),
        ),
        *(
            probe
            for process in ("worker", "api")
            for probe in aggregation.probes(
                Aggregation(
                    kafka=secured.kafka("aggregation"), database_url=secured.url(f"aggregation_{process}")
                ),
                ("worker",) if process == "worker" else ("serve",),
            )
        ),
    ]
    found = await look(probes)
    assert "\n".join(line for line in lines(found) if line.startswith("NO")) == ""
    # Those who may not change tables may not see the list of migrations either.
    assert [each.what for each in found if each.ok is None] == ["migrations"] * 3
    assert Finding("topic rating-submissions", True, "6 partitions; may Read, Write") in found
    assert Finding("settings of rating-submissions-dlt", True, "may DescribeConfigs") in found
    assert Finding("group verification", True, "may Read") in found
    assert Finding("transactions verification-rating-submissions-0", True, "may Write") in found


async def test_owners_find_all_migrations(secured: Secured) -> None:
    settings = Aggregation(database_url=secured.url("aggregation_owner"))
    assert Finding("migrations", True, "all applied") in await look(aggregation.probes(settings, ("serve",)))


async def test_rights_that_are_missing_are_named_one_by_one(secured: Secured) -> None:
    """Whoever aggregation is, verification's work is not for them."""
    work = replace(verification.work(), configs=SEALED[:1])
    probe = kafka.probe(secured.kafka("aggregation"), work, setting="X")
    found = {each.what: each.text for each in await look([probe]) if not each.ok}
    assert found == {
        "topic rating-submissions": f"not there, or no right to see it: {APPLY}",
        "topic rating-outcomes": f"no right to Write: {APPLY}",
        "topic rating-submissions-dlt": f"not there, or no right to see it: {APPLY}",
        "settings of rating-submissions": f"no right to DescribeConfigs: {APPLY}",
        "group verification": f"no right to Read: {APPLY}",
        "transactions verification-rating-submissions-0": f"no right to Write: {APPLY}",
    }


async def test_topics_that_are_absent_or_too_small_are_named(secured: Secured) -> None:
    larger = replace(RATING_OUTCOMES, partitions=7)
    absent = replace(RATING_OUTCOMES, name="nowhere")
    work = Work([(larger, frozenset({"Read"})), (absent, frozenset({"Read"}))])
    client = KafkaClient(
        bootstrap=secured.broker.bootstrap,
        security_protocol="SSL",
        tls_ca_file=secured.authority.certificate,
        tls_cert_file=secured.certificates["broker"].certificate,
        tls_key_file=secured.certificates["broker"].key,
    )
    found = await look([kafka.probe(client, work, setting="X")])
    assert found[1:] == [
        Finding("topic rating-outcomes", False, "6 partitions, the catalogue says 7: make it anew"),
        Finding("topic nowhere", False, "not there: python -m chassis.topics makes it"),
    ]


async def test_a_reader_s_role_does_not_pass_for_a_writer_s(secured: Secured) -> None:
    settings = Aggregation(database_url=secured.url("aggregation_api"))
    probes = [each for each in aggregation.probes(settings, ("worker",)) if each.what == "postgres"]
    [tables] = [each for each in await look(probes) if each.what == "tables"]
    assert tables.text.startswith("no right to SELECT, INSERT, UPDATE, DELETE on directory.")


async def test_a_server_of_another_authority_is_told_apart_from_one_that_is_away(
    secured: Secured, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path).certificate
    settings = Aggregation(database_url=secured.url("aggregation_api", authority=stranger))
    found = [each for each in await look(aggregation.probes(settings, ("serve",))) if not each.ok]
    assert [each.what for each in found] == ["postgres"]
    assert found[0].text.startswith("no TLS with ")
    assert found[0].text.endswith("mend sslmode or sslrootcert in AGGREGATION_DATABASE_URL")


async def test_the_command_ends_with_1_and_names_what_refuses(secured: Secured, keys: Path) -> None:
    environment = secured.settings()["verification-worker"] | {
        "VERIFICATION_KEYS_DIR": str(keys),
        "VERIFICATION_KAFKA_SASL_USERNAME": "operators",
        "VERIFICATION_DATABASE_URL": secured.url("verification_app").replace("verification_app", "nobody"),
    }
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "services.verification", "check", "worker"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    refused = [line for line in done.stdout.splitlines() if line.startswith("NO")]
    assert (done.returncode, done.stderr, len(refused)) == (1, "", 2), done.stdout
    assert "nobody" in refused[0]
    assert refused[0].endswith("mend the role or its password in VERIFICATION_DATABASE_URL, or pg_hba.conf")
    assert "refuses operators" in refused[1]
    assert "mend VERIFICATION_KAFKA_SASL_…" in refused[1]
    assert not [each for each in secured.passwords.values() if each in done.stdout]
