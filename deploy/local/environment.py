"""What each process of the stack is told through its environment: the one place where the stack is wired."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.identity_provider import AUDIENCE, CLIENT
from deploy.local.layout import Layout
from deploy.local.ports import HOST, HTTP_OFFSETS, Ports

TRACED = ("INTAKE", "VERIFICATION", "AGGREGATION", "PORTAL")


@dataclass(frozen=True, slots=True)
class Wiring:
    """Where everything is. `database_urls` by service; `sign_in`: with the local identity provider."""

    layout: Layout
    ports: Ports
    kafka_bootstrap: str
    database_urls: Mapping[str, str]
    sign_in: bool = False

    def http_url(self, part: str) -> str:
        return f"http://{HOST}:{self.ports[part]}"

    def url_of(self, process: str) -> str:
        """Its public address, or that of its operations where it has no other."""
        return self.http_url(process if process in self.ports.by_part else f"{process}-operations")

    def operations_port(self, process: str) -> int:
        return self.ports[f"{process}-operations"]

    def keys(self, service: str) -> Path:
        return self.layout.keys / service

    def intake(self) -> dict[str, str]:
        return {
            "INTAKE_HOST": HOST,
            "INTAKE_PORT": str(self.ports["intake"]),
            "INTAKE_OPERATIONS_PORT": str(self.operations_port("intake")),
            "INTAKE_HTTPS": "false",
            "INTAKE_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "INTAKE_KEYS_DIR": str(self.keys("intake")),
            "INTAKE_OUTCOME_BASE_URL": self.http_url("verification"),
            **(self._takes_tokens("INTAKE") if self.sign_in else {}),
        }

    def verification(self) -> dict[str, str]:
        return {
            "VERIFICATION_HOST": HOST,
            "VERIFICATION_PORT": str(self.ports["verification"]),
            "VERIFICATION_OPERATIONS_PORT": str(self.operations_port("verification")),
            "VERIFICATION_WORKER_OPERATIONS_PORT": str(self.operations_port("verification-worker")),
            "VERIFICATION_HTTPS": "false",
            "VERIFICATION_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "VERIFICATION_DATABASE_URL": self.database_urls["verification"],
            "VERIFICATION_KEYS_DIR": str(self.keys("verification")),
            "VERIFICATION_OUTBOX_DIR": str(self.layout.outbox),
        }

    def aggregation(self) -> dict[str, str]:
        return {
            "AGGREGATION_HOST": HOST,
            "AGGREGATION_PORT": str(self.ports["aggregation"]),
            "AGGREGATION_OPERATIONS_PORT": str(self.operations_port("aggregation")),
            "AGGREGATION_WORKER_OPERATIONS_PORT": str(self.operations_port("aggregation-worker")),
            "AGGREGATION_HTTPS": "false",
            "AGGREGATION_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "AGGREGATION_DATABASE_URL": self.database_urls["aggregation"],
            **(self._takes_tokens("AGGREGATION") if self.sign_in else {}),
        }

    def portal(self) -> dict[str, str]:
        return {
            "PORTAL_HOST": HOST,
            "PORTAL_PORT": str(self.ports["portal"]),
            "PORTAL_OPERATIONS_PORT": str(self.operations_port("portal")),
            "PORTAL_INTAKE_URL": self.http_url("intake"),
            "PORTAL_VERIFICATION_URL": self.http_url("verification"),
            "PORTAL_AGGREGATION_URL": self.http_url("aggregation"),
            "PORTAL_KEYS_DIR": str(self.keys("portal")),
            "PORTAL_INTAKE_KEY_FILE": str(self.layout.portal_key),
            # Plain HTTP on the loopback interface: a browser would never send a Secure cookie back.
            "PORTAL_SECURE_COOKIES": "false",
            **(self._portal_sign_in() if self.sign_in else {}),
        }

    def _takes_tokens(self, service: str) -> dict[str, str]:
        return {
            f"{service}_OIDC_ISSUER": self.http_url("identity-provider"),
            f"{service}_OIDC_AUDIENCE": AUDIENCE,
            f"{service}_OIDC_LOCAL": "true",
        }

    def _portal_sign_in(self) -> dict[str, str]:
        return {
            "PORTAL_PUBLIC_URL": self.http_url("portal"),
            "PORTAL_OIDC_ISSUER": self.http_url("identity-provider"),
            "PORTAL_OIDC_CLIENT_ID": CLIENT,
            "PORTAL_OIDC_CLIENT_SECRET_FILE": str(self.layout.sign_in_secret),
            "PORTAL_OIDC_SCOPE": "openid profile figures",
            "PORTAL_OIDC_RESOURCE": AUDIENCE,
            "PORTAL_OIDC_LOCAL": "true",
        }

    def _listed(self, part: str) -> bool:
        return part != "portal" and (part != "identity-provider" or self.sign_in)

    def urls(self) -> dict[str, str]:
        """A name and an address for each part, as `make urls` prints them."""
        return {
            "portal": self.http_url("portal"),
            "dashboard": f"{self.http_url('portal')}/ket-qua",
            **({"department": f"{self.http_url('portal')}/noi-bo"} if self.sign_in else {}),
            **({"office": f"{self.http_url('portal')}/office"} if self.sign_in else {}),
            **{part: self.http_url(part) for part in HTTP_OFFSETS if self._listed(part)},
            "kafka": f"kafka://{self.kafka_bootstrap}",
            "postgres": f"postgresql://{HOST}:{self.ports['postgres']}",
        }


def with_callers(settings: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment (certificates, locale, further settings of a service), and ours above it.

    HAILONG_TRACES_TO is said to every process by its own name.
    """
    to = os.environ.get("HAILONG_TRACES_TO")
    traced = {f"{each}_TRACES_TO": to for each in TRACED} if to else {}
    return {**traced, **os.environ, **settings}
