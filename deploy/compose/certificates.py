"""An authority, the certificates of Kafka and PostgreSQL, and Kafka's passwords, each for whoever it is for.

Runs as root in a container without a network, to give each volume to its owner. What is there stays; what was
removed is made anew, all certificates where the authority's was. The authority's key is kept nowhere: with
new certificates comes a new authority.
"""

import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

VOLUMES = Path("/volumes")
APP, KAFKA, POSTGRES = 10001, 1000, 999
LASTS = timedelta(days=730)
PRINCIPALS = ("intake", "verification", "aggregation", "operators")
KAFKA_HOSTS = ("kafka", "kafka-1", "kafka-2", "kafka-3")


def main() -> None:
    authority = VOLUMES / "authority" / "ca.pem"
    if not authority.exists():
        _certificates()
    _passwords()
    ends = x509.load_pem_x509_certificate(authority.read_bytes()).not_valid_after_utc
    print(f"certificates are valid until {ends:%Y-%m-%d}")  # noqa: T201 - a job's result


def _certificates() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Hai Long")
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    authority = (
        _builder(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    of_broker, brokers_key = _issue("broker", KAFKA_HOSTS, name, key)
    of_database, databases_key = _issue("postgres", ("postgres",), name, key)
    ca = _pem(authority)
    _write("kafka-tls/broker.pem", brokers_key + of_broker, KAFKA)
    _write("kafka-tls/ca.pem", ca, KAFKA)
    _write("postgres-tls/postgres.key", databases_key, POSTGRES)
    _write("postgres-tls/postgres.crt", of_database, POSTGRES)
    _write("authority/ca.pem", ca, APP, mode=0o444)  # last: it says that all are there


def _issue(
    name: str, hosts: tuple[str, ...], issuer: x509.Name, issuers_key: ec.EllipticCurvePrivateKey
) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    certificate = (
        _builder(_name(name), issuer, key)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(issuers_key, hashes.SHA256())
    )
    return _pem(certificate), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LASTS)
    )


def _passwords() -> None:
    for principal in PRINCIPALS:
        own = VOLUMES / f"kafka-{principal}" / "password"
        if not own.exists():
            _write(f"kafka-{principal}/password", secrets.token_urlsafe(24).encode(), APP)
        account = f"SCRAM-SHA-512=password={own.read_text()}\n"  # without brackets, in a file
        _write(f"kafka-accounts/{principal}.properties", account.encode(), KAFKA)


def _write(name: str, content: bytes, owner: int, *, mode: int = 0o400) -> None:
    """Whole or not at all, and from its first moment for its owner alone."""
    file = VOLUMES / name
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_bytes(content)
    new.chmod(mode)
    os.chown(new, owner, owner)
    os.chown(file.parent, owner, owner)
    new.rename(file)


if __name__ == "__main__":
    main()
