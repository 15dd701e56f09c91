"""Bills of materials: whole, and as CycloneDX wants them."""

import json
from pathlib import Path

import pytest
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.component import Component
from packageurl import PackageURL

from deploy.supply_chain import pins, sbom


def test_each_service_has_one_with_all_that_it_is_made_of(tmp_path: Path) -> None:
    bills = sbom.everything()
    assert set(bills) == {*pins.SERVICES, "kafka", "development"}
    for name, components in bills.items():
        written = json.loads(sbom.write(tmp_path, name, components).read_text())
        assert (written["bomFormat"], written["specVersion"]) == ("CycloneDX", "1.6")
        assert len(written["components"]) == len(components)
        assert all(each["hashes"] for each in written["components"])


def test_packages_are_named_as_vulnerability_databases_name_them() -> None:
    bills = sbom.everything()
    aiokafka = next(pin for pin in pins.of_set("intake") if pin.name == "aiokafka")
    assert f"pkg:pypi/aiokafka@{aiokafka.version}" in {str(each.purl) for each in bills["intake"]}
    assert "pkg:maven/org.apache.kafka/kafka-clients@4.3.1" in {str(each.purl) for each in bills["kafka"]}
    portal = " ".join(str(each.purl) for each in bills["portal"])
    assert "pkg:npm/%40digdir/designsystemet-css@" in portal
    assert "esbuild" not in portal, "a tool is no part of the pages"


def test_what_is_no_cyclonedx_document_is_not_written(tmp_path: Path) -> None:
    broken = Component(
        name="a",
        purl=PackageURL("pypi", None, "a", "1"),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content="?")],
    )
    with pytest.raises(sbom.Invalid, match="broken"):
        sbom.write(tmp_path, "broken", [broken])
    assert not list(tmp_path.iterdir())
