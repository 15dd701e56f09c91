"""Users that an operator makes may do what the script of ACLs lets them, and nothing else."""

from deploy.security.kafka_acls import SCALING, allowed
from deploy.security.kafka_users import FILE, manifest, users


def test_the_committed_file_is_what_the_catalogue_asks_for_today() -> None:
    assert FILE.read_text() == manifest(), "stale: make acls"


def test_users_may_do_the_same_as_by_the_script() -> None:
    kinds = {"topic": "topic", "group": "group", "transactionalId": "transactional-id"}
    prefixed = {"literal": False, "prefix": True}
    by_operator = {
        (
            user["metadata"]["name"],
            kinds[acl["resource"]["type"]],
            acl["resource"]["name"],
            prefixed[acl["resource"]["patternType"]],
            operation,
        )
        for user in users()
        for acl in user["spec"]["authorization"]["acls"]
        for operation in acl["operations"]
    }
    assert by_operator == {
        (each.principal, each.kind, name, each.prefixed, operation)
        for each in allowed()
        for name in each.names
        for operation in each.operations
    }


def test_who_scales_workers_only_looks() -> None:
    operations = {each.operations for each in allowed() if each.principal == SCALING}
    assert operations == {("Describe",)}
