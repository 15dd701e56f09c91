"""Who reaches whom: what policies allow, and not one connection more."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.kustomize import Manifest, pod_of

Of = Callable[[str], dict[str, Manifest]]
KAFKA, VERIFICATION_DB, AGGREGATION_DB = "kafka:9093", "verification-db:5432", "aggregation-db:5432"
WAYS = {
    "portal": {"intake:8001", "verification-api:8002", "aggregation-api:8003"},
    "intake": {KAFKA},
    "verification-api": {VERIFICATION_DB},
    "verification-worker": {KAFKA, VERIFICATION_DB},
    "aggregation-api": {AGGREGATION_DB},
    "aggregation-worker": {KAFKA, AGGREGATION_DB},
    "topics": {KAFKA},
    "verification-migrations": {VERIFICATION_DB},
    "aggregation-migrations": {AGGREGATION_DB},
}
"""Within the namespace. What is behind the databases and brokers is the operators' own."""
SERVERS = {
    "kafka": {"strimzi.io/cluster": "hailong", "strimzi.io/name": "hailong-kafka"},
    "verification-db": {"cnpg.io/cluster": "verification-db"},
    "aggregation-db": {"cnpg.io/cluster": "aggregation-db"},
}
FROM_OUTSIDE = {"ingress": {"portal", "intake", "verification-api", "aggregation-api"}}


@pytest.fixture
def labels(manifests: tuple[Manifest, ...]) -> dict[str, dict[str, str]]:
    """Of the pods, by the name of what makes them."""
    made = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"]
        for each in manifests
        if pod_of(each) is not None
    }
    return made | SERVERS


@pytest.fixture
def policies(of: Of) -> list[Manifest]:
    return [each["spec"] for each in of("NetworkPolicy").values()]


def test_what_no_policy_allows_is_denied(policies: list[Manifest]) -> None:
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in policies


def test_every_process_has_a_policy_of_its_own(of: Of) -> None:
    own = of("NetworkPolicy")
    for name in WAYS:
        assert own[name]["spec"]["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": name}


def test_each_process_reaches_what_it_needs_and_nothing_else(
    policies: list[Manifest], labels: dict[str, dict[str, str]]
) -> None:
    for name, ways in WAYS.items():
        assert set(reached(name, policies, labels)) == ways, name


def test_who_is_reached_lets_in_who_reaches_it_and_nobody_else(
    of: Of, policies: list[Manifest], labels: dict[str, dict[str, str]]
) -> None:
    ports = container_ports(of)
    for name in {*WAYS, "verification-db", "aggregation-db"}:
        allowed = {source for source, target in let_in(policies, labels, ports) if target == name}
        wanted = {f"{source}>{way}" for source in WAYS for way in WAYS[source] if way.startswith(f"{name}:")}
        assert allowed == wanted, name


def test_brokers_let_in_their_clients_and_who_counts_the_lag(
    of: Of, labels: dict[str, dict[str, str]]
) -> None:
    [listener] = of("Kafka")["hailong"]["spec"]["kafka"]["listeners"]
    peers = listener["networkPolicyPeers"]
    clients = {name for name in WAYS for each in peers if selects(each.get("podSelector"), labels[name])}
    assert clients == {name for name, ways in WAYS.items() if KAFKA in ways}
    others = [each["namespaceSelector"] for each in peers if "namespaceSelector" in each]
    assert others == [in_namespace("keda")]
    assert listener["tls"] is True
    assert listener["authentication"] == {"type": "scram-sha-512"}


def test_citizens_come_by_the_ingress_to_public_ports_alone(
    policies: list[Manifest], labels: dict[str, dict[str, str]]
) -> None:
    for namespace, wanted in FROM_OUTSIDE.items():
        found = {
            (name, rule["ports"][0]["port"])
            for policy in policies
            for rule in policy.get("ingress", ())
            if {"namespaceSelector": in_namespace(namespace)} in rule.get("from", ())
            for name in labels
            if selects(policy["podSelector"], labels[name])
        }
        assert found == {(name, "http") for name in wanted}


def test_only_the_monitoring_reads_operations(policies: list[Manifest]) -> None:
    rules = [
        rule
        for policy in policies
        for rule in policy.get("ingress", ())
        if {"port": "operations"} in rule.get("ports", ())
    ]
    assert rules == [
        {"from": [{"namespaceSelector": in_namespace("monitoring")}], "ports": [{"port": "operations"}]}
    ]


def test_a_way_out_is_open_to_names_to_the_gateway_and_to_operators_alone(of: Of) -> None:
    outside = {
        name: [rule for rule in each["spec"].get("egress", ()) if leaves_the_namespace(rule)]
        for name, each in of("NetworkPolicy").items()
    }
    found = {name for name, rules in outside.items() if rules}
    assert found == {"dns", "sms-gateway", "kafka", "verification-db", "aggregation-db"}
    assert of("NetworkPolicy")["sms-gateway"]["spec"]["podSelector"] == {
        "matchLabels": {"app.kubernetes.io/name": "verification-worker"}
    }


def test_every_address_of_the_ingress_leads_to_a_service_and_pods_behind_it(
    of: Of, labels: dict[str, dict[str, str]]
) -> None:
    [ingress] = of("Ingress").values()
    hosts = {rule["host"] for rule in ingress["spec"]["rules"]}
    assert hosts == {host for each in ingress["spec"]["tls"] for host in each["hosts"]}
    for rule in ingress["spec"]["rules"]:
        backend = rule["http"]["paths"][0]["backend"]["service"]
        service = of("Service")[backend["name"]]["spec"]
        assert backend["port"]["name"] in {port["name"] for port in service["ports"]}
        assert [name for name in labels if service["selector"].items() <= labels[name].items()]


def selects(selector: Manifest | None, labels: dict[str, str]) -> bool:
    if selector is None:
        return False
    expressions = selector.get("matchExpressions", ())
    assert all(each["operator"] == "In" for each in expressions)
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(each["key"]) in each["values"] for each in expressions
    )


def in_namespace(name: str) -> dict[str, Any]:
    return {"matchLabels": {"kubernetes.io/metadata.name": name}}


def leaves_the_namespace(rule: Manifest) -> bool:
    return any(peer.keys() != {"podSelector"} for peer in rule.get("to", [{}]))


def reached(source: str, policies: list[Manifest], labels: dict[str, dict[str, str]]) -> Iterator[str]:
    """Where policies let it go within the namespace, as name:port."""
    for policy in policies:
        if not selects(policy["podSelector"], labels[source]):
            continue
        for rule in policy.get("egress", ()):
            for peer in () if leaves_the_namespace(rule) else rule["to"]:
                for name, marked in labels.items():
                    if selects(peer["podSelector"], marked):
                        yield from (f"{name}:{port['port']}" for port in rule["ports"])


def let_in(
    policies: list[Manifest], labels: dict[str, dict[str, str]], ports: dict[tuple[str, str], int]
) -> Iterator[tuple[str, str]]:
    """Who of the namespace may come to whom: source>target:port, and the target."""
    for policy in policies:
        for target, marked in labels.items():
            if not selects(policy["podSelector"], marked):
                continue
            for rule in policy.get("ingress", ()):
                for peer in rule["from"]:
                    for source in WAYS:
                        if "namespaceSelector" not in peer and selects(peer["podSelector"], labels[source]):
                            for port in rule["ports"]:
                                number = ports.get((target, port["port"]), port["port"])
                                yield f"{source}>{target}:{number}", target


def container_ports(of: Of) -> dict[tuple[str, str], int]:
    return {
        (name, port["name"]): port["containerPort"]
        for name, deployment in of("Deployment").items()
        for port in deployment["spec"]["template"]["spec"]["containers"][0]["ports"]
    }
