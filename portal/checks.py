"""What the portal needs to be there."""

from collections.abc import AsyncIterator, Collection, Iterator
from pathlib import Path

from chassis.checking import files, sign_in, web
from chassis.checking.findings import Finding, Probe
from portal.settings import Settings
from portal.static import Assets, AssetsMissing

PROCESSES = ("serve",)
LET_IN = "python -m services.intake clients add portal --channel portal --key-file FILE"


def probes(settings: Settings, processes: Collection[str]) -> Iterator[Probe]:
    del processes
    yield web.api("intake", str(settings.intake_url), "PORTAL_INTAKE_URL", title="Hài Lòng: intake")
    yield web.api(
        "verification",
        str(settings.verification_url),
        "PORTAL_VERIFICATION_URL",
        title="Hài Lòng: verification",
    )
    yield web.api(
        "aggregation", str(settings.aggregation_url), "PORTAL_AGGREGATION_URL", title="Hài Lòng: figures"
    )
    yield _assets(settings.assets_dir)
    yield files.writable(settings.keys_dir, "keys of cookies", setting="PORTAL_KEYS_DIR")
    if settings.intake_key_file is not None:
        yield files.secret(
            settings.intake_key_file, "key for intake", make=LET_IN, setting="PORTAL_INTAKE_KEY_FILE"
        )
    if settings.oidc_issuer is not None:
        yield sign_in.provider(settings.oidc_issuer, local=settings.oidc_local, setting="PORTAL_OIDC_ISSUER")
    if settings.oidc_client_secret_file is not None:
        yield files.secret(
            settings.oidc_client_secret_file,
            "secret for the provider",
            make="write there what the provider has for this client",
            setting="PORTAL_OIDC_CLIENT_SECRET_FILE",
        )


def _assets(folder: Path) -> Probe:
    async def find() -> AsyncIterator[Finding]:
        try:
            built = Assets.load(folder)
        except AssetsMissing as error:
            yield Finding("styles and scripts", False, str(error))
        else:
            yield Finding("styles and scripts", True, f"{len(built.files)} files in {folder}")

    return Probe("styles and scripts", find, "PORTAL_ASSETS_DIR")
