"""The audit of dependencies says what it could not ask; it never passes for want of an answer."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from deploy.local.layout import CHECKOUT
from deploy.local.ports import HOST, free_ports
from deploy.supply_chain import pins

SECONDS = 240


def audit(osv: str, registry: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.supply_chain.audit", "--osv", f"{osv}/v1"],
        cwd=CHECKOUT,
        env={**os.environ, "npm_config_registry": registry},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@contextmanager
def a_database(known: dict[str, str]) -> Iterator[str]:
    """OSV and npm's registry in one, on the loopback interface; `known` are ids by package."""

    def answer(asked: Any) -> Any:
        identity = known.get(asked["package"]["name"]) if "package" in asked else None
        return {"vulns": [{"id": identity, "modified": "2026-01-01T00:00:00Z"}]} if identity else {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if "advisories" in self.path:
                said: Any = {}
            elif self.path.endswith("/querybatch"):
                said = {"results": [answer(each) for each in json.loads(body)["queries"]]}
            else:
                said = answer(json.loads(body))
            content = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_database_out_of_reach_is_said_and_has_an_exit_code_of_its_own() -> None:
    nowhere = f"http://{HOST}:{free_ports(1)[0]}"
    done = audit(nowhere, nowhere)
    assert done.returncode == 3, done.stderr
    assert done.stdout.count("NOT AUDITED: the database was not reached") == 3
    assert "refused" in done.stdout


def test_one_database_out_of_reach_is_enough() -> None:
    with a_database({}) as there:
        done = audit(there, f"http://{HOST}:{free_ports(1)[0]}")
    assert done.returncode == 3, done.stderr
    assert re.findall(r"(.*) were NOT audited", done.stdout) == ["npm packages"]


def test_databases_that_know_nothing_let_it_pass() -> None:
    with a_database({}) as there:
        done = audit(there, there)
    assert (done.returncode, done.stderr) == (0, "")
    assert "NOT" not in done.stdout


def test_what_is_known_is_named() -> None:
    jar = pins.kafka()[0]
    with a_database({f"{jar.group}:{jar.artifact}": "GHSA-jar"}) as there:
        done = audit(there, there)
    assert done.returncode == 1, done.stderr
    assert f"{jar}: GHSA-jar" in done.stdout
