"""The certificates and passwords that a secured start makes in its volumes."""

import os
import ssl
import stat
from pathlib import Path

import pytest

from deploy.compose import certificates


@pytest.fixture
def volumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    names = [f"kafka-{each}" for each in (*certificates.PRINCIPALS, "tls", "accounts")]
    for name in (*names, "postgres-tls", "authority"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(certificates, "VOLUMES", tmp_path)
    monkeypatch.setattr(os, "chown", lambda *_: None)
    certificates.main()
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def greets(volumes: Path, certificate: str, key: str | None, host: str) -> None:
    """A handshake in memory. Raises SSLError."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(volumes / certificate, None if key is None else volumes / key)
    calling = ssl.create_default_context(cafile=volumes / "authority" / "ca.pem")
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = calling.wrap_bio(back, there, server_hostname=host)
    server = serving.wrap_bio(there, back, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


@pytest.mark.parametrize("host", certificates.KAFKA_HOSTS)
def test_callers_trust_brokers_by_each_name(volumes: Path, host: str) -> None:
    greets(volumes, "kafka-tls/broker.pem", None, host)


def test_callers_trust_the_database_by_its_name_alone(volumes: Path) -> None:
    greets(volumes, "postgres-tls/postgres.crt", "postgres-tls/postgres.key", "postgres")
    with pytest.raises(ssl.SSLCertVerificationError):
        greets(volumes, "postgres-tls/postgres.crt", "postgres-tls/postgres.key", "kafka")


def test_a_secret_is_for_its_owner_alone_and_the_authoritys_key_is_nowhere(volumes: Path) -> None:
    for file in volumes.rglob("*"):
        if file.is_file() and file.name != "ca.pem":
            assert stat.S_IMODE(file.stat().st_mode) == 0o400
    assert [name for name, text in contents(volumes / "authority").items() if b"PRIVATE" in text] == []
    keys = [text for text in contents(volumes).values() if b"PRIVATE KEY" in text]
    assert len(keys) == 2


def test_another_start_changes_nothing_and_what_was_removed_is_made_anew(volumes: Path) -> None:
    before = contents(volumes)
    certificates.main()
    assert contents(volumes) == before
    (volumes / "kafka-intake" / "password").unlink()
    (volumes / "authority" / "ca.pem").unlink()
    certificates.main()
    changed = {Path(name).name for name, text in contents(volumes).items() if text != before[name]}
    made = {"ca.pem", "broker.pem", "postgres.crt", "postgres.key"}
    assert changed == made | {"password", "intake.properties"}
    greets(volumes, "kafka-tls/broker.pem", None, "kafka")
