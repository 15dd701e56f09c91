"""What the portal asks of an identity provider, and which answers it takes for none."""

import base64
import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from chassis.oidc import ProviderAway
from portal.oidc import USUAL_SECONDS, Attempt, Client, SignedIn, SignIn, SigningInFailed
from tests.support.tokens import ISSUER, KEY, OTHERS_KEY, Clock, FakeProvider, token, unsigned

SECRET = "pa ss/wo+rd="
ATTEMPT = Attempt(next="/noi-bo")


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def client(tmp_path: Path) -> Client:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    here = "https://portal.example"
    return Client("portal", f"{here}/dang-nhap/xong", f"{here}/dang-xuat", "openid profile", file, "figures")


@pytest.fixture
def sign_in(provider: FakeProvider, client: Client) -> SignIn:
    return SignIn(provider.seen_by(Clock()), httpx.AsyncClient(transport=provider), client)


def id_token(*, key: Any = KEY, typ: str = "JWT", **changes: Any) -> str:
    said = {"aud": "portal", "nonce": ATTEMPT.nonce, "name": "Nguyễn Văn A"} | changes
    return token(key=key, header={"typ": typ}, **said)


def answer(**changes: Any) -> httpx.Response:
    good = {"access_token": "access", "token_type": "Bearer", "expires_in": 900, "id_token": id_token()}
    return httpx.Response(200, json={k: v for k, v in (good | changes).items() if v is not None})


def back(**changes: Any) -> dict[str, str]:
    good = {"code": "code", "state": ATTEMPT.state, "iss": ISSUER}
    return {name: value for name, value in (good | changes).items() if value is not None}


async def test_the_browser_is_sent_with_a_state_a_nonce_and_the_digest_of_a_secret(sign_in: SignIn) -> None:
    url = urlsplit(await sign_in.begin(ATTEMPT))
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{ISSUER}/auth"
    digest = hashlib.sha256(ATTEMPT.verifier.encode()).digest()
    assert {name: value for name, (value,) in parse_qs(url.query).items()} == {
        "response_type": "code",
        "client_id": "portal",
        "redirect_uri": "https://portal.example/dang-nhap/xong",
        "scope": "openid profile",
        "state": ATTEMPT.state,
        "nonce": ATTEMPT.nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
        "resource": "figures",
    }


def test_no_two_attempts_have_anything_in_common() -> None:
    words = [each for _ in range(20) for each in Attempt(next="/").model_dump(exclude={"next"}).values()]
    assert len(set(words)) == 60
    assert min(map(len, words)) >= 43


async def test_the_code_is_redeemed_with_the_secret_of_the_attempt_and_of_the_client(
    sign_in: SignIn, provider: FakeProvider
) -> None:
    provider.told = answer()
    assert await sign_in.complete(ATTEMPT, back()) == SignedIn("access", 900, "Nguyễn Văn A")
    (sent,) = provider.redeemed
    assert {name: value for name, (value,) in parse_qs(sent.content.decode()).items()} == {
        "grant_type": "authorization_code",
        "redirect_uri": "https://portal.example/dang-nhap/xong",
        "code": "code",
        "code_verifier": ATTEMPT.verifier,
        "resource": "figures",
    }
    basic = base64.b64decode(sent.headers["authorization"].removeprefix("Basic ")).decode()
    assert basic == "portal:pa%20ss%2Fwo%2Brd%3D"
    assert str(sent.url) == f"{ISSUER}/token"


async def test_a_public_client_says_who_it_is_in_the_body(provider: FakeProvider, client: Client) -> None:
    public = Client(client.id, client.returns_to, client.leaves_to, client.scope)
    provider.told = answer(expires_in=None)
    sign_in = SignIn(provider.seen_by(Clock()), httpx.AsyncClient(transport=provider), public)
    assert (await sign_in.complete(ATTEMPT, back())).seconds == USUAL_SECONDS
    (sent,) = provider.redeemed
    assert parse_qs(sent.content.decode())["client_id"] == ["portal"]
    assert "authorization" not in sent.headers


@pytest.mark.parametrize(
    "changes",
    [
        {"state": None},
        {"state": "another"},
        {"iss": None},
        {"iss": "https://elsewhere.example"},
        {"code": None},
        {"code": ""},
        {"error": "access_denied"},
    ],
)
async def test_a_way_back_that_is_not_of_this_attempt_leads_nowhere(
    sign_in: SignIn, provider: FakeProvider, changes: dict[str, Any]
) -> None:
    with pytest.raises(SigningInFailed):
        await sign_in.complete(ATTEMPT, back(**changes))
    assert provider.redeemed == []


WRONG: dict[str, dict[str, Any]] = {
    "of another attempt": {"id_token": id_token(nonce="another")},
    "of no attempt": {"id_token": id_token(nonce=None)},
    "for another client": {"id_token": id_token(aud="another")},
    "for another client too, and for it": {"id_token": id_token(aud=["portal", "another"], azp="another")},
    "of another issuer": {"id_token": id_token(iss="https://elsewhere.example")},
    "expired": {"id_token": id_token(exp=1)},
    "signed by another": {"id_token": id_token(key=OTHERS_KEY)},
    "unsigned": {"id_token": unsigned(aud="portal", nonce=ATTEMPT.nonce)},
    "an access token instead": {"id_token": id_token(typ="at+jwt")},
    "beside another access token": {"id_token": id_token(at_hash="another")},
    "none": {"id_token": None},
    "without an access token": {"access_token": None},
    "of another type": {"token_type": "mac"},
    "of no type": {"token_type": None},
    "of no length": {"expires_in": "soon"},
}


@pytest.mark.parametrize("kind", WRONG)
async def test_an_answer_that_does_not_hold_what_it_must_signs_nobody_in(
    sign_in: SignIn, provider: FakeProvider, kind: str
) -> None:
    provider.told = answer(**WRONG[kind])
    with pytest.raises(SigningInFailed):
        await sign_in.complete(ATTEMPT, back())


async def test_a_code_that_was_used_signs_nobody_in(sign_in: SignIn, provider: FakeProvider) -> None:
    provider.told = httpx.Response(400, json={"error": "invalid_grant"})
    with pytest.raises(SigningInFailed):
        await sign_in.complete(ATTEMPT, back())


@pytest.mark.parametrize(
    "told", [httpx.Response(502, json={"error": "busy"}), httpx.Response(200, text="<html>")]
)
async def test_a_provider_that_answers_nonsense_is_away(
    sign_in: SignIn, provider: FakeProvider, told: httpx.Response
) -> None:
    provider.told = told
    with pytest.raises(ProviderAway):
        await sign_in.complete(ATTEMPT, back())


async def test_a_provider_that_does_not_answer_is_away(sign_in: SignIn, provider: FakeProvider) -> None:
    provider.away = True
    for work in (sign_in.begin(ATTEMPT), sign_in.complete(ATTEMPT, back()), sign_in.leaving()):
        with pytest.raises(ProviderAway):
            await work


async def test_without_the_client_s_secret_nobody_is_signed_in(
    sign_in: SignIn, provider: FakeProvider, client: Client
) -> None:
    assert client.secret_file is not None
    client.secret_file.unlink()
    with pytest.raises(ProviderAway):
        await sign_in.complete(ATTEMPT, back())
    assert provider.redeemed == []


async def test_a_provider_without_a_page_to_sign_out_has_none(sign_in: SignIn) -> None:
    assert await sign_in.leaving() is None
