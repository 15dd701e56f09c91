"""Which tokens are a provider's, and what becomes of it all while the provider is away."""

import time

import pytest

from chassis.oidc import (
    ACCESS_TOKEN,
    AGAIN_SECONDS,
    ALGORITHMS,
    FRESH_SECONDS,
    KEPT_SECONDS,
    LEEWAY_SECONDS,
    Provider,
    ProviderAway,
    TokenRefused,
    safe_url,
)
from chassis.readiness import Check
from tests.support.tokens import (
    AUDIENCE,
    OTHERS_KEY,
    Clock,
    FakeProvider,
    a_key,
    signed_with_the_public_key,
    token,
    unsigned,
)

LONG_AGO = int(time.time()) - LEEWAY_SECONDS - 60
LATER = int(time.time()) + LEEWAY_SECONDS + 600

WRONG = {
    "expired": token(exp=LONG_AGO),
    "not yet valid": token(nbf=LATER),
    "from the future": token(iat=LATER),
    "without an end": token(exp=None),
    "an end that never comes": token(exp=float("nan")),
    "of another issuer": token(iss="https://elsewhere.example"),
    "of nobody": token(iss=None),
    "for another audience": token(aud="https://elsewhere.example"),
    "for none": token(aud=None),
    "about nobody": token(sub=None),
    "unsigned": unsigned(),
    "signed with the public key": signed_with_the_public_key(),
    "signed by another": token(key=OTHERS_KEY),
    "of an unknown key": token(header={"kid": "two"}),
    "for signing out": token(header={"typ": "logout+jwt"}),
    "with a critical header that nobody knows": token().replace(".", ".x", 1),
    "no token": "wrong",
    "empty": "",
    "a token and more": token() + ".x",
}


@pytest.fixture
def fake() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider(fake: FakeProvider, clock: Clock) -> Provider:
    return fake.seen_by(clock)


async def subject(provider: Provider, text: str) -> object:
    return (await provider.verified(text, audience=AUDIENCE, types=ACCESS_TOKEN)).claims["sub"]


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "JWT", None])
async def test_a_good_token_says_who_it_is_about(provider: Provider, typ: str | None) -> None:
    assert await subject(provider, token(header={"typ": typ})) == "somebody"
    assert await subject(provider, token(aud=["another", AUDIENCE], header={"typ": typ})) == "somebody"


def test_no_algorithm_takes_a_secret_that_both_sides_know() -> None:
    assert {name[:2] for name in ALGORITHMS} <= {"RS", "PS", "ES"}


@pytest.mark.parametrize("kind", WRONG)
async def test_a_wrong_token_is_refused(provider: Provider, kind: str) -> None:
    with pytest.raises(TokenRefused):
        await subject(provider, WRONG[kind])


async def test_one_byte_more_in_what_is_signed_and_it_is_no_longer_the_provider_s(provider: Provider) -> None:
    head, body, signature = token().split(".")
    for altered in (f"{head}.{body[:-2]}AA.{signature}", f"{head}.{body}.{signature[:-6]}AAAAAA"):
        with pytest.raises(TokenRefused):
            await subject(provider, altered)


async def test_keys_are_asked_for_once_and_again_when_they_are_old(
    provider: Provider, fake: FakeProvider, clock: Clock
) -> None:
    for _ in range(3):
        await subject(provider, token())
    assert fake.asked == 1
    clock.now += FRESH_SECONDS
    await subject(provider, token())
    assert fake.asked == 2


async def test_a_new_key_is_found_and_an_old_one_forgotten(
    provider: Provider, fake: FakeProvider, clock: Clock
) -> None:
    await subject(provider, token())
    new = a_key("two")
    fake.keys = [new]
    clock.now += AGAIN_SECONDS
    assert await subject(provider, token(key=new, header={"kid": "two"})) == "somebody"
    with pytest.raises(TokenRefused):
        await subject(provider, token())


async def test_tokens_with_made_up_keys_do_not_make_us_ask_and_ask(
    provider: Provider, fake: FakeProvider
) -> None:
    for number in range(20):
        with pytest.raises(TokenRefused):
            await subject(provider, token(header={"kid": f"made-up-{number}"}))
    assert fake.asked == 1


async def test_while_the_provider_is_away_known_keys_are_used_on_for_a_while(
    provider: Provider, fake: FakeProvider, clock: Clock
) -> None:
    await subject(provider, token())
    fake.away = True
    clock.now += KEPT_SECONDS - 1
    assert await subject(provider, token()) == "somebody"
    clock.now += 1
    with pytest.raises(ProviderAway):
        await subject(provider, token())
    fake.away = False
    clock.now += AGAIN_SECONDS
    assert await subject(provider, token()) == "somebody"


async def test_without_keys_nobody_is_believed_until_the_provider_answers(
    fake: FakeProvider, clock: Clock
) -> None:
    check = Check("identity_provider")
    provider = fake.seen_by(clock, check)
    fake.away = True
    with pytest.raises(ProviderAway):
        await subject(provider, token())
    assert not check.ok
    fake.away = False
    clock.now += AGAIN_SECONDS
    await subject(provider, token())
    assert check.ok


async def test_a_provider_that_calls_itself_otherwise_is_none(provider: Provider, fake: FakeProvider) -> None:
    fake.issuer = "https://elsewhere.example"
    with pytest.raises(ProviderAway):
        await subject(provider, token())


def test_a_provider_is_reached_by_https_or_where_a_setting_says_so_on_this_machine() -> None:
    assert safe_url("https://id.example/realms/city", local=False)
    assert safe_url("http://127.0.0.1:8004", local=True)
    for url, local in (
        ("http://127.0.0.1:8004", False),
        ("http://id.example", True),
        ("http://127.0.0.1.example", True),
        ("https://user:word@id.example", False),
        ("file:///etc/passwd", True),
        ("", False),
    ):
        with pytest.raises(ValueError, match="provider"):
            safe_url(url, local=local)
