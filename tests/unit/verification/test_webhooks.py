"""What a portal is told, how it is signed and how often it is tried, without any I/O."""

import json
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from uuid import UUID

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from services.verification.domain import webhooks
from services.verification.domain.webhooks import News

KEY, SALT = b"k" * 32, b"s" * 16
NEWS = News(
    UUID("0b6b0d6e-3f5e-8c1a-9d7e-0f3a5c2b1e4d"),
    "rejected",
    "challenge_wrong",
    datetime(2026, 11, 30, 7, 0, tzinfo=UTC),
)


def test_it_says_what_the_outcome_api_says_and_nothing_else() -> None:
    assert json.loads(webhooks.body(NEWS)) == {
        "type": "rating.decided",
        "timestamp": "2026-11-30T07:00:00Z",
        "data": {
            "rating_id": "0b6b0d6e-3f5e-8c1a-9d7e-0f3a5c2b1e4d",
            "status": "rejected",
            "reason": "challenge_wrong",
        },
    }


def test_the_signature_is_standard_webhooks_and_both_secrets_of_an_overlap_fit() -> None:
    newest, before = (webhooks.secret(KEY, "portal", salt) for salt in (SALT, b"t" * 16))
    content = webhooks.body(NEWS)
    headers = dict(webhooks.headers(NEWS, content, (newest, before), datetime.now(UTC)))
    for each in (newest, before):
        Webhook(webhooks.shown(each)).verify(content, headers)
    stranger = Webhook(webhooks.shown(webhooks.secret(KEY, "another", SALT)))
    with pytest.raises(WebhookVerificationError):
        stranger.verify(content, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(webhooks.shown(newest)).verify(content.replace(b"rejected", b"accepted"), headers)


def test_however_often_it_is_told_it_is_the_same_message() -> None:
    again = webhooks.headers(NEWS, webhooks.body(NEWS), (KEY,), datetime.now(UTC) + timedelta(hours=3))
    assert again["webhook-id"] == webhooks.message_id(NEWS) == "outcome_0b6b0d6e3f5e8c1a9d7e0f3a5c2b1e4d"


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_pauses_double_up_to_an_hour_give_or_take_half(chance: float) -> None:
    pauses = [webhooks.pause(attempt, chance) for attempt in range(1, 40)]
    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(seconds=5) * (0.5 + chance)
    assert pauses[-1] == timedelta(hours=1) * (0.5 + chance)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - an address, not a binding
        ("224.0.0.1", False),
        ("::1", False),
        ("fd00::1", False),
        ("fe80::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
    ],
)
def test_only_addresses_on_the_internet_are_public(address: str, public: bool) -> None:
    assert webhooks.is_public(ip_address(address)) is public
