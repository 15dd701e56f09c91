"""The repository holds no key: neither a private one, nor anything that looks like one of ours."""

import base64
import re
import secrets
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRIVATE = re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")
# 32 bytes in base64, as key files have them, alone or in a line of code.
THIRTY_TWO_BYTES = re.compile(rb"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{43}=(?![A-Za-z0-9+/=])")
PUBLIC = (
    b"1TpNPrkTkYYe1IN7ngkSOIzxtCwaajm4UHHK0WWjDQ8=",  # the public half of an example
)
SETTING = re.compile(rb"(?i)(?:password|secret|api_?key)[\"']?\s*[:=]\s*[\"'][A-Za-z0-9+/_-]{24,}={0,2}[\"']")


def found_in(content: bytes) -> set[bytes]:
    found = {*PRIVATE.findall(content), *THIRTY_TWO_BYTES.findall(content), *SETTING.findall(content)}
    return found - set(PUBLIC)


@pytest.mark.parametrize(
    "secret",
    [
        b"-----BEGIN " + b"OPENSSH PRIVATE KEY-----",
        b"-----BEGIN " + b"PRIVATE KEY-----",
        base64.b64encode(secrets.token_bytes(32)),
        b'key = "' + base64.b64encode(secrets.token_bytes(32)) + b'"',
        b"key: " + base64.urlsafe_b64encode(secrets.token_bytes(32)) + b"\n",
        b'api_key = "' + secrets.token_urlsafe(32).encode() + b'"',
    ],
    ids=["OpenSSH", "PEM", "base64", "quoted", "in YAML", "an API key"],  # the same in every process
)
def test_the_search_finds_what_is_there(secret: bytes) -> None:
    assert found_in(b"some text\n" + secret + b"\nmore")


def test_no_tracked_file_holds_a_key() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    paths = [path for name in listed.decode().split("\0") if name and (path := ROOT / name).is_file()]
    assert len(paths) > 300
    assert {str(path): found for path in paths if (found := found_in(path.read_bytes()))} == {}
