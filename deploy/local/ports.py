"""The ports of the embedded stack, on the loopback interface only. Standard library only."""

import errno
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.errors import StackError

HOST = "127.0.0.1"
HTTP_OFFSETS = {
    "portal": 0,
    "intake": 1,
    "verification": 2,
    "aggregation": 3,
    "identity-provider": 4,
    "portal-operations": 20,
    "intake-operations": 21,
    "verification-operations": 22,
    "aggregation-operations": 23,
    "verification-worker-operations": 12,
    "aggregation-worker-operations": 13,
}
"""What citizens and portals reach, and twenty above it what operators do. Workers have that alone."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports by part. `settings` names the environment variable that moves each."""

    by_part: Mapping[str, int]
    settings: Mapping[str, str]

    def __getitem__(self, part: str) -> int:
        return self.by_part[part]

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Ports":
        """Raises StackError for a value that is no port, or two parts on the same one."""
        base = _port(environ, "HAILONG_PORT_BASE", 8000, highest=65535 - max(HTTP_OFFSETS.values()))
        kafka = _port(environ, "HAILONG_KAFKA_PORT", 9092)
        by_part = {
            "kafka": kafka,
            "kafka-controller": _port(environ, "HAILONG_KAFKA_CONTROLLER_PORT", min(kafka + 1, 65535)),
            "postgres": _port(environ, "HAILONG_POSTGRES_PORT", 5433),
        }
        settings = {part: f"HAILONG_{part.replace('-', '_').upper()}_PORT" for part in by_part}
        for part, offset in HTTP_OFFSETS.items():
            by_part[part] = base + offset
            settings[part] = "HAILONG_PORT_BASE"
        seen: dict[int, str] = {}
        for part, port in by_part.items():
            if port in seen:
                raise StackError(
                    f"Port {port} is given to both {seen[port]} and {part}.", f"Change {settings[part]}."
                )
            seen[port] = part
        return cls(by_part, settings)

    def check_free(self) -> None:
        """Raises StackError naming the first port that something else listens on."""
        for part, port in self.by_part.items():
            if not is_free(port):
                setting = self.settings[part]
                example = f"{setting}={9000 if setting == 'HAILONG_PORT_BASE' else port + 1000}"
                raise StackError(
                    f"Port {port}, which {part} needs, is taken.",
                    f"End what listens there, or choose another: {example} make run",
                )


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: connections that linger after a stop are no reason to refuse.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, for tests; held together so that they differ."""
    probes = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _port(environ: Mapping[str, str], setting: str, default: int, *, highest: int = 65535) -> int:
    text = environ.get(setting) or str(default)
    if not text.isascii() or not text.isdigit() or not 1024 <= int(text) <= highest:
        raise StackError(f"{setting}={text} is no usable port.", f"Give a number from 1024 to {highest}.")
    return int(text)
