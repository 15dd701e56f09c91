"""The health check of a container: well is what answers 200, and nothing else."""

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def probe(port: int, path: str) -> int:
    command = [sys.executable, "-m", "chassis.probe", str(port), path]
    return subprocess.run(command, check=False, capture_output=True).returncode


def test_a_process_that_is_ready_is_well(port: int) -> None:
    assert probe(port, "/readyz") == 0


def test_a_process_that_says_so_is_not(port: int) -> None:
    assert probe(port, "/healthz") == 1


def test_nobody_there_is_not_well_either() -> None:
    with HTTPServer(("127.0.0.1", 0), Answers) as closed:
        free = closed.server_port
    assert probe(free, "/readyz") == 1
