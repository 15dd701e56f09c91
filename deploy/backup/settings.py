"""OPERATOR_… variables: how whoever backs up and restores is let in."""

from pydantic import Field

from chassis import topics
from chassis.postgres import DatabaseUrl
from deploy.backup.databases import DATABASES
from deploy.backup.files import Unusable


class Operator(topics.Operator):
    verification_database_url: DatabaseUrl = Field("", description="Verification's database, as its owner.")
    aggregation_database_url: DatabaseUrl = Field("", description="Aggregation's database, as its owner.")
    recovery_public_key: str = Field("", description="What `recovery-key` printed: keys are sealed to it.")

    def database_urls(self) -> dict[str, str]:
        """Raises Unusable for one that is not set."""
        urls = {name: str(getattr(self, f"{name}_database_url")) for name in DATABASES}
        for name, url in urls.items():
            if not url:
                raise Unusable(f"Set OPERATOR_{name.upper()}_DATABASE_URL: where the database {name} is.")
        return urls
