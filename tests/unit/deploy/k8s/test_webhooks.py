"""The way out to portals, for who asks for it."""

from ipaddress import ip_address, ip_network

import kubernetes_validate
import pytest

from services.verification.domain.webhooks import is_public
from tests.support.kustomize import Manifest, build
from tests.unit.deploy.k8s.conftest import K8S
from tests.unit.deploy.k8s.test_schemas import NEWEST, OLDEST

PUBLIC = ("1.1.1.1", "103.9.196.2", "2001:dc8::1")
INSIDE = (
    "10.96.0.1",  # the cluster's own API
    "169.254.169.254",  # what a cloud tells its machines
    "172.31.255.254",
    "192.168.1.1",
    "100.64.0.1",
    "127.0.0.1",
    "fd12:3456:789a::1",
    "fe80::1",
)


@pytest.fixture
def policy() -> Manifest:
    [manifest] = build(K8S / "webhooks")
    return manifest


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_understands_it(version: str, policy: Manifest) -> None:
    kubernetes_validate.validate(policy, version, strict=True)


def test_verification_s_worker_alone_is_let_out_and_nobody_in(policy: Manifest) -> None:
    assert policy["metadata"]["namespace"] == "hailong"
    spec = policy["spec"]
    assert spec["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "verification-worker"}}
    assert spec["policyTypes"] == ["Egress"]
    assert "ingress" not in spec
    assert [rule["ports"] for rule in spec["egress"]] == [[{"port": 443}]]


@pytest.mark.parametrize("address", [*PUBLIC, *INSIDE])
def test_it_leads_to_the_internet_and_not_into_the_city_s_own_networks(
    address: str, policy: Manifest
) -> None:
    """The worker refuses the same addresses itself; this holds where it would be wrong."""
    assert lets_out_to(address, policy) == (address in PUBLIC) == is_public(ip_address(address))


def lets_out_to(address: str, policy: Manifest) -> bool:
    wanted = ip_address(address)
    blocks = [peer["ipBlock"] for rule in policy["spec"]["egress"] for peer in rule["to"]]
    return any(
        wanted in ip_network(block["cidr"])
        and not any(wanted in ip_network(inside) for inside in block["except"])
        for block in blocks
    )
