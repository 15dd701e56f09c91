"""The embedded stack's identity provider: a real one, for this machine alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from attacks.routes import own_address
from chassis.oidc import ACCESS_TOKEN, TokenRefused
from deploy.local.identity_provider import AUDIENCE
from portal.oidc import Attempt, SigningInFailed
from tests.support.identity_provider import Running, an_identity_provider

ALSO_LOOPBACK = "127.0.0.2"
"""Whoever listens on all addresses answers here too."""


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[Running]:
    async with an_identity_provider(tmp_path) as running:
        yield running


async def test_a_code_is_redeemed_once_and_only_with_the_attempt_s_own_secret(provider: Running) -> None:
    attempt = Attempt(next="/noi-bo")
    back = await provider.way_back(attempt, "head-of-unit")
    stolen = attempt.model_copy(update={"verifier": Attempt(next="/").verifier})
    with pytest.raises(SigningInFailed):
        await provider.sign_in.complete(stolen, back)
    back = await provider.way_back(attempt, "head-of-unit")
    assert (await provider.sign_in.complete(attempt, back)).name == "Lãnh đạo Sở Thông tin và Truyền thông"
    with pytest.raises(SigningInFailed):
        await provider.sign_in.complete(attempt, back)


async def test_who_chooses_to_be_nobody_is_not_signed_in(provider: Running) -> None:
    with pytest.raises(SigningInFailed, match="the provider said no"):
        await provider.signed_in("")


async def test_its_access_token_is_for_the_figures_and_nothing_else(provider: Running) -> None:
    token = (await provider.signed_in("head-of-unit")).token
    verified = await provider.provider.verified(token, audience=AUDIENCE, types=ACCESS_TOKEN)
    assert verified.header["typ"] == "at+jwt"
    assert verified.claims["hailong_departments"] == ["so-thong-tin-va-truyen-thong"]
    with pytest.raises(TokenRefused):
        await provider.provider.verified(token, audience="another", types=ACCESS_TOKEN)


async def test_it_is_reached_from_this_machine_alone(provider: Running) -> None:
    others = [ALSO_LOOPBACK, own_address()]
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"{provider.issuer}/.well-known/openid-configuration")).status_code == 200
        for other in filter(None, others):
            with pytest.raises(httpx.ConnectError):
                await http.get(f"http://{other}:{provider.process.port}/.well-known/openid-configuration")
