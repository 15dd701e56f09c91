"""What a database's address may promise: the server's identity whole, or nothing."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from chassis.postgres import DatabaseUrl

PLAIN = "postgresql://service:guess@db.city:5432/figures"


class Settings(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    database_url: DatabaseUrl


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_text("a certificate")
    return path


def test_plain_addresses_and_verified_ones_are_taken_as_they_are(certificate: Path) -> None:
    for url in (PLAIN, f"{PLAIN}?sslmode=verify-full&sslrootcert={certificate}"):
        assert Settings(database_url=url).database_url == url


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ("sslmode=require", "sslmode=require does not say who the server is; use verify-full"),
        ("sslmode=prefer", "sslmode=prefer does not say who the server is"),
        ("sslmode=verify-ca&sslrootcert={ca}", "sslmode=verify-ca does not say who the server is"),
        ("sslmode=verify-full", "say whom to trust: sslrootcert=FILE"),
        ("sslrootcert={ca}", "with certificates set sslmode=verify-full"),
        ("sslmode=verify-full&sslrootcert=/nowhere/ca", "sslrootcert=/nowhere/ca cannot be read"),
        ("passfile={ca}", "is open to others; its mode must be 0600 or less"),
    ],
)
def test_what_only_looks_safe_is_refused_without_showing_the_password(
    parameters: str, said: str, certificate: Path
) -> None:
    certificate.chmod(0o644)
    with pytest.raises(ValidationError) as error:
        Settings(database_url=f"{PLAIN}?{parameters.format(ca=certificate)}")
    assert said in str(error.value)
    assert "guess" not in str(error.value)


def test_an_address_is_in_no_representation() -> None:
    assert "guess" not in repr(Settings(database_url=PLAIN))
