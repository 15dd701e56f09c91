"""OPERATOR_… variables: how whoever backs up and restores is let in."""

from chassis.postgres import DatabaseUrl
from deploy.backup.databases import DATABASES
from deploy.backup.files import Unusable
from deploy.local import topics


class Operator(topics.Operator):
    """`recovery_public_key` is what `recovery-key` printed."""

    verification_database_url: DatabaseUrl = ""
    aggregation_database_url: DatabaseUrl = ""
    recovery_public_key: str = ""

    def database_urls(self) -> dict[str, str]:
        """Raises Unusable for one that is not set."""
        urls = {name: str(getattr(self, f"{name}_database_url")) for name in DATABASES}
        for name, url in urls.items():
            if not url:
                raise Unusable(f"Set OPERATOR_{name.upper()}_DATABASE_URL: where the database {name} is.")
        return urls
