"""What each role may do in the databases: its own work. The roles are those that operators apply."""

import asyncpg
import pytest

from tests.support.secured import ROLES, Secured

ROWS = {"SELECT", "INSERT", "UPDATE", "DELETE"}
_PRIVILEGES = """
SELECT format('%I.%I', schemaname, tablename) AS name, array(
    SELECT privilege FROM unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER,MAINTAIN}'::text[])
        AS privilege
    WHERE has_schema_privilege($1, schemaname, 'USAGE')
        AND has_table_privilege($1, format('%I.%I', schemaname, tablename), privilege)
) AS privileges
FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""


async def refused(secured: Secured, role: str, statement: str) -> bool:
    connection = await asyncpg.connect(secured.url(role))
    try:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(statement)
        except asyncpg.InsufficientPrivilegeError:
            return True
        finally:
            await transaction.rollback()
    finally:
        await connection.close()
    return False


@pytest.mark.parametrize(
    ("role", "wanted"),
    [("verification_app", ROWS), ("aggregation_worker", ROWS), ("aggregation_api", {"SELECT"})],
)
async def test_a_service_reads_or_writes_rows_of_every_table_and_nothing_else(
    secured: Secured, role: str, wanted: set[str]
) -> None:
    connection = await secured.as_superuser(ROLES[role])
    try:
        found = {row["name"]: set(row["privileges"]) for row in await connection.fetch(_PRIVILEGES, role)}
    finally:
        await connection.close()
    assert found.pop("public.schema_migrations") == set(), "nor the list of what was applied"
    if ROLES[role] == "aggregation":
        assert found.pop("reports.job") == ROWS, "the API too writes down which reports it makes"
    assert found == dict.fromkeys(found, wanted)
    assert len(found) > 5


REFUSED = [
    ("verification_app", "CREATE TABLE public.more (n int)"),
    ("verification_app", "CREATE TEMPORARY TABLE more (n int)"),
    ("verification_app", "CREATE SCHEMA more"),
    ("verification_app", "ALTER TABLE ratings DROP CONSTRAINT ratings_pkey CASCADE"),
    ("verification_app", "DROP TABLE slots"),
    ("verification_app", "TRUNCATE slots"),
    ("verification_app", "UPDATE schema_migrations SET sha256 = ''"),
    ("verification_app", "SET ROLE verification_owner"),
    ("verification_app", "CREATE ROLE more"),
    ("verification_app", "COPY ratings TO '/tmp/ratings'"),
    ("aggregation_worker", "CREATE TABLE read_models.more (n int)"),
    ("aggregation_worker", "ALTER TABLE read_models.tally ADD COLUMN more int"),
    ("aggregation_worker", "DROP SCHEMA read_models CASCADE"),
    ("aggregation_worker", "TRUNCATE read_models.tally"),
    ("aggregation_api", "UPDATE read_models.tally SET count = count + 1"),
    ("aggregation_api", "INSERT INTO read_models.counted_submission VALUES (gen_random_uuid())"),
    ("aggregation_api", "DELETE FROM read_models.scope"),
    ("aggregation_api", "UPDATE directory.officer SET name = ''"),
    ("aggregation_api", "SELECT 1 FROM read_models.revision FOR UPDATE"),
    ("aggregation_api", "CREATE TABLE read_models.more (n int)"),
    ("aggregation_api", "CREATE TEMPORARY TABLE more (n int)"),
    ("aggregation_owner", "CREATE ROLE more"),
]


@pytest.mark.parametrize(("role", "statement"), REFUSED)
async def test_what_is_not_its_work_is_refused(secured: Secured, role: str, statement: str) -> None:
    assert await refused(secured, role, statement)


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("verification_app", "INSERT INTO partitions (partition) VALUES (99)"),
        ("verification_app", "SELECT pg_notify('verification_decisions', '')"),
        ("aggregation_worker", "UPDATE read_models.revision SET value = value + 1"),
        ("aggregation_api", "SELECT count(*) FROM read_models.tally"),
        ("aggregation_api", "LISTEN figures"),
        ("aggregation_api", "INSERT INTO reports.job (job_id, asked) VALUES (gen_random_uuid(), '{}')"),
    ],
)
async def test_what_is_its_work_is_not(secured: Secured, role: str, statement: str) -> None:
    assert not await refused(secured, role, statement)


@pytest.mark.parametrize("role", sorted(ROLES))
async def test_no_role_reaches_another_database(secured: Secured, role: str) -> None:
    """By pg_hba.conf, and were that open, by the database's own rights."""
    others = {"verification", "aggregation"} - {ROLES[role]}
    for other in (*others, "postgres"):
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match=r"pg_hba\.conf"):
            await asyncpg.connect(secured.url(role, other))
    connection = await secured.as_superuser("postgres")
    try:
        for other in others:
            assert not await connection.fetchval(
                "SELECT has_database_privilege($1, $2, 'CONNECT')", role, other
            )
    finally:
        await connection.close()


async def test_no_role_is_more_than_it_seems(secured: Secured) -> None:
    connection = await secured.as_superuser("postgres")
    try:
        roles = await connection.fetch(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY ($1::text[]) AND (rolsuper OR rolcreatedb"
            " OR rolcreaterole OR rolreplication OR rolbypassrls OR NOT rolcanlogin)",
            list(ROLES),
        )
        members = await connection.fetch(
            "SELECT FROM pg_auth_members WHERE member::regrole::text = ANY ($1::text[])", list(ROLES)
        )
    finally:
        await connection.close()
    assert (roles, members) == ([], [])


async def test_the_owner_makes_a_schema_anew_and_the_rights_are_there_at_once(secured: Secured) -> None:
    """As a later migration would, or a rebuild beside the live read models."""
    owner = await asyncpg.connect(secured.url("aggregation_owner"))
    try:
        await owner.execute(
            "CREATE SCHEMA rebuilt; CREATE TABLE rebuilt.tally (n bigint GENERATED ALWAYS AS IDENTITY);"
            "ALTER SCHEMA rebuilt RENAME TO swapped"
        )
        assert not await refused(secured, "aggregation_worker", "INSERT INTO swapped.tally DEFAULT VALUES")
        assert not await refused(secured, "aggregation_api", "SELECT * FROM swapped.tally")
        assert await refused(secured, "aggregation_api", "INSERT INTO swapped.tally DEFAULT VALUES")
    finally:
        await owner.execute("DROP SCHEMA IF EXISTS rebuilt, swapped CASCADE")
        await owner.close()
