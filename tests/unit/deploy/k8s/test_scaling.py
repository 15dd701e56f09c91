"""How many of each there are, and how they come and go."""

from collections.abc import Callable

import pytest

from chassis.http import SHUTDOWN_SECONDS
from contracts.topics import TOPICS
from deploy.security.kafka_acls import CONSUMED, SCALING
from services.aggregation.bootstrap import GIVE_UP_SECONDS
from services.verification.bootstrap import SHUTDOWN_SECONDS as VERIFICATION_SHUTDOWN_SECONDS
from tests.support.kustomize import Manifest

Of = Callable[[str], dict[str, Manifest]]
WORKERS = {"verification-worker": "verification", "aggregation-worker": "aggregation"}
"""With the consumer group of each."""
APIS = {"intake", "verification-api", "aggregation-api", "portal"}


def test_every_process_may_lose_one_pod_at_a_time(of: Of) -> None:
    budgets = {name: each["spec"] for name, each in of("PodDisruptionBudget").items()}
    assert budgets.keys() == of("Deployment").keys()
    for name, deployment in of("Deployment").items():
        assert budgets[name] == {"maxUnavailable": 1, "selector": deployment["spec"]["selector"]}


def test_apis_scale_by_their_work_and_never_to_fewer_than_two(of: Of) -> None:
    assert of("HorizontalPodAutoscaler").keys() == APIS
    for name, scaler in of("HorizontalPodAutoscaler").items():
        assert scaler["spec"]["scaleTargetRef"]["name"] == name
        assert 2 <= scaler["spec"]["minReplicas"] < scaler["spec"]["maxReplicas"]


def test_workers_scale_by_what_their_group_has_not_read(of: Of) -> None:
    assert of("ScaledObject").keys() == WORKERS.keys()
    for name, group in WORKERS.items():
        spec = of("ScaledObject")[name]["spec"]
        assert spec["scaleTargetRef"] == {"name": name}
        [trigger] = spec["triggers"]
        assert trigger["metadata"]["consumerGroup"] == group
        assert trigger["metadata"]["topic"] == CONSUMED[group].name
        assert trigger["metadata"]["offsetResetPolicy"] == "earliest"


def test_no_more_workers_than_partitions(of: Of) -> None:
    partitions = {topic.name: topic.partitions for topic in TOPICS}
    for scaled in of("ScaledObject").values():
        spec = scaled["spec"]
        most = partitions[spec["triggers"][0]["metadata"]["topic"]]
        assert 2 <= spec["minReplicaCount"] <= spec["maxReplicaCount"] <= most
        assert spec["fallback"]["replicas"] <= most


def test_who_counts_the_lag_is_let_in_as_somebody_who_may_only_look(of: Of) -> None:
    [authentication] = of("TriggerAuthentication").values()
    name = authentication["metadata"]["name"]
    for scaled in of("ScaledObject").values():
        assert scaled["spec"]["triggers"][0]["authenticationRef"] == {"name": name}
    [username] = authentication["spec"]["configMapTargetRef"]
    assert of("ConfigMap")[username["name"]]["data"][username["key"]] == SCALING
    acls = of("KafkaUser")[SCALING]["spec"]["authorization"]["acls"]
    assert {operation for acl in acls for operation in acl["operations"]} == {"Describe"}


def test_pods_of_one_process_are_spread_over_machines_and_zones(of: Of) -> None:
    for deployment in of("Deployment").values():
        template = deployment["spec"]["template"]
        spread = {each["topologyKey"]: each for each in template["spec"]["topologySpreadConstraints"]}
        assert spread.keys() == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
        assert spread["kubernetes.io/hostname"]["whenUnsatisfiable"] == "DoNotSchedule"
        for each in spread.values():
            assert each["labelSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
            assert "app.kubernetes.io/name" in each["matchLabelKeys"]


def test_who_is_asked_to_stop_has_the_time_that_its_own_deadlines_take(of: Of) -> None:
    longest = max(VERIFICATION_SHUTDOWN_SECONDS, GIVE_UP_SECONDS)
    for name, deployment in of("Deployment").items():
        pod = deployment["spec"]["template"]["spec"]
        asleep = 0
        if name in APIS:
            asleep = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
            assert asleep >= 5, "whoever sends requests may learn that late of a pod that goes"
        assert pod["terminationGracePeriodSeconds"] > asleep + SHUTDOWN_SECONDS + longest, name


def test_an_update_takes_no_pod_away_before_another_is_there(of: Of) -> None:
    for deployment in of("Deployment").values():
        assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        assert "replicas" not in deployment["spec"], "the scaler's business"


def test_every_record_is_on_three_brokers_and_kept_once_two_have_it(of: Of) -> None:
    config = of("Kafka")["hailong"]["spec"]["kafka"]["config"]
    assert config["default.replication.factor"] == 3
    assert config["min.insync.replicas"] == 2
    assert config["unclean.leader.election.enable"] is False
    assert config["auto.create.topics.enable"] is False
    assert of("KafkaNodePool")["broker"]["spec"]["replicas"] >= 3
    assert of("KafkaNodePool")["controller"]["spec"]["replicas"] == 3


@pytest.mark.parametrize("name", ["verification", "aggregation"])
def test_a_database_makes_its_roles_by_the_file_and_lets_in_by_tls_alone(of: Of, name: str) -> None:
    spec = of("Cluster")[f"{name}-db"]["spec"]
    [script] = spec["bootstrap"]["initdb"]["postInitApplicationSQLRefs"]["configMapRefs"]
    roles = {spec["bootstrap"]["initdb"]["owner"], *(each["name"] for each in spec["managed"]["roles"])}
    for role in roles:
        assert f"'{role}'" in of("ConfigMap")[script["name"]]["data"][script["key"]]
    allow, reject = spec["postgresql"]["pg_hba"]
    assert set(allow.split()[2].split(",")) == roles
    assert allow.split()[0] == "hostssl"
    assert reject == "host all all all reject"
