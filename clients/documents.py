"""The OpenAPI documents, straight from the code: no service has to run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.aggregation import bootstrap as aggregation
from services.aggregation.settings import Settings as AggregationSettings
from services.intake import bootstrap as intake
from services.intake.adapters.key_files import create_keys
from services.intake.settings import Settings as IntakeSettings
from services.verification import bootstrap as verification
from services.verification.adapters.key_files import create_keys as create_verification_keys
from services.verification.settings import Settings as VerificationSettings

EDITION = "any"


def documents(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """A service's name and its document. `folder` is for keys, without which no service is made."""
    create_keys(folder / "intake", EDITION)
    yield "intake", intake.create(IntakeSettings(keys_dir=folder / "intake")).openapi()
    create_verification_keys(folder / "verification", EDITION)
    yield (
        "verification",
        verification.api_app(VerificationSettings(keys_dir=folder / "verification")).openapi(),
    )
    yield "aggregation", aggregation.api_app(AggregationSettings()).openapi()
