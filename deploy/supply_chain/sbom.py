"""Software bills of materials (CycloneDX 1.6), one for each service and one for the embedded broker.

python -m deploy.supply_chain.sbom [--images hailong]
"""

import base64
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from deploy.local.jars import Jar
from deploy.local.layout import Layout
from deploy.supply_chain import pins
from deploy.supply_chain.pins import NpmPin, Pin

FOLDER = Layout().root / "sbom"
_SHA = {"sha256": HashAlgorithm.SHA_256, "sha384": HashAlgorithm.SHA_384, "sha512": HashAlgorithm.SHA_512}


class Invalid(Exception):
    """The document is not what CycloneDX's schema asks for."""


def main(
    folder: Annotated[Path, typer.Option(help="Where to write them.")] = FOLDER,
    images: Annotated[
        str, typer.Option(help="Also list what these images, built before, have from their base image.")
    ] = "",
) -> None:
    """Write the bills of materials. Example: python -m deploy.supply_chain.sbom --folder /tmp/sbom"""
    bills = everything()
    for service in pins.SERVICES if images else ():
        bills[service] += base_of(f"{images}/{service}:latest")
    for name, components in bills.items():
        path = write(folder, name, components)
        typer.echo(f"{path}  {len(components)} components")


def everything() -> dict[str, list[Component]]:
    bills = {service: [_python(pin) for pin in pins.of_set(service)] for service in pins.SERVICES}
    bills["portal"] += [_npm(pin) for pin in pins.npm() if pin.shipped]
    bills["kafka"] = [_jar(jar) for jar in pins.kafka()]
    bills["development"] = [_python(pin) for pin in pins.of_set("dev")] + [_npm(pin) for pin in pins.npm()]
    return bills


def base_of(image: str) -> list[Component]:
    """Python and Debian's packages, as the image itself lists them. Raises CalledProcessError."""
    version = _asked(image, "python", "-c", "import platform; print(platform.python_version())")
    listed = _asked(image, "dpkg-query", "--show", "--showformat", "${Package} ${Version} ${Architecture}\\n")
    packages = [line.split() for line in listed.splitlines()]
    return [
        _component(PackageURL("generic", None, "python", version), []),
        *(
            _component(PackageURL("deb", "debian", name, version, {"arch": architecture}), [])
            for name, version, architecture in packages
        ),
    ]


def _asked(image: str, program: str, *arguments: str) -> str:
    command = ["docker", "run", "--rm", "--network", "none", "--read-only", "--entrypoint", program, image]
    done = subprocess.run([*command, *arguments], check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout.strip()


def write(folder: Path, name: str, components: Iterable[Component]) -> Path:
    """Returns the file. Raises Invalid."""
    whole = Component(name=f"hai-long-{name}", type=ComponentType.APPLICATION, bom_ref=name)
    bom = Bom(components=components)
    bom.metadata.component = whole
    bom.register_dependency(whole, bom.components)
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        raise Invalid(f"{name}: {fault}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.cdx.json"
    path.write_text(text, "utf-8")
    return path


def _python(pin: Pin) -> Component:
    return _component(
        PackageURL("pypi", None, pin.name.lower(), pin.version), [("sha256", h) for h in pin.hashes]
    )


def _npm(pin: NpmPin) -> Component:
    scope, _, name = pin.name.rpartition("/")
    algorithm, _, digest = pin.integrity.partition("-")
    return _component(
        PackageURL("npm", scope or None, name, pin.version), [(algorithm, base64.b64decode(digest).hex())]
    )


def _jar(jar: Jar) -> Component:
    return _component(PackageURL("maven", jar.group, jar.artifact, jar.version), [("sha256", jar.sha256)])


def _component(purl: PackageURL, digests: Iterable[tuple[str, str]]) -> Component:
    return Component(
        name=purl.name,
        group=purl.namespace,
        version=purl.version,
        purl=purl,
        bom_ref=purl.to_string(),
        hashes=[HashType(alg=_SHA[algorithm], content=digest) for algorithm, digest in digests],
    )


if __name__ == "__main__":
    typer.run(main)
