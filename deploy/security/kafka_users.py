"""The same rights for a Kafka that the Strimzi operator runs: a KafkaUser for each principal, as YAML."""

from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import yaml

from deploy.security.kafka_acls import Allowed, allowed

FILE = Path(__file__).parents[1] / "k8s" / "kafka" / "users.yaml"
CLUSTER = "hailong"
_HEAD = """\
# Who may do what on Kafka; what is not allowed here is denied. Generated from the topic catalogue by
# `make acls`. The operator makes a password for each, in a Secret of the same name.
"""
_TYPES = {"topic": "topic", "group": "group", "transactional-id": "transactionalId"}


def users() -> list[dict[str, Any]]:
    by_principal = groupby(sorted(allowed(), key=attrgetter("principal")), attrgetter("principal"))
    return [_user(principal, list(rights)) for principal, rights in by_principal]


def manifest() -> str:
    return _HEAD + yaml.safe_dump_all(users(), sort_keys=False)


def _user(principal: str, rights: list[Allowed]) -> dict[str, Any]:
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaUser",
        "metadata": {"name": principal, "labels": {"strimzi.io/cluster": CLUSTER}},
        "spec": {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {"type": "simple", "acls": [acl for right in rights for acl in _acls(right)]},
        },
    }


def _acls(right: Allowed) -> list[dict[str, Any]]:
    pattern = "prefix" if right.prefixed else "literal"
    return [
        {
            "resource": {"type": _TYPES[right.kind], "name": name, "patternType": pattern},
            "operations": list(right.operations),
        }
        for name in right.names
    ]
