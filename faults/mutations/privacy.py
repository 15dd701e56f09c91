"""No phone number in the clear, and nothing in an outcome that leads to a person.

All in one copy, for each shows in another place; none needs a fault.
"""

from faults.mutations.mutation import Mutation

_SUBMITTING = "services/intake/submitting.py"
_API = "services/intake/api.py"
_OUTCOMES = "services/verification/domain/outcomes.py"
_ANY = "term intake"

PRIVACY = (
    Mutation(
        "number-in-a-log",
        "7: no phone number in a log",
        (
            (
                _SUBMITTING,
                "            channel=event.channel,\n        )\n        return who",
                "            channel=event.channel,\n"
                "            note=judged.phone,\n        )\n        return who",
            ),
        ),
        _ANY,
        "leak",
        "log intake-",
        group="privacy",
    ),
    Mutation(
        "number-in-a-metric",
        "7: no phone number in a metric",
        (
            (
                _API,
                "        metrics.accepted(channel).inc()\n",
                "        metrics.ACCEPTED.labels(body.phone).inc()\n",
            ),
        ),
        _ANY,
        "leak",
        "metrics of intake-",
        group="privacy",
    ),
    Mutation(
        "number-in-a-url",
        "7: no phone number in a URL",
        (
            (
                _API,
                "    def taken(rating_id: UUID, receipt: str | None = None) -> Response:\n"
                '        url = f"{outcome_base_url}/v1/ratings/{rating_id}/outcome"\n',
                '    def taken(rating_id: UUID, receipt: str | None = None, phone: str = "") -> Response:\n'
                '        url = f"{outcome_base_url}/v1/ratings/{rating_id}/outcome?phone={phone}"\n',
            ),
            (
                _API,
                "        return taken(identity.rating_id, identity.receipt)\n",
                "        return taken(identity.rating_id, identity.receipt, body.phone)\n",
            ),
        ),
        _ANY,
        "leak",
        "URLs given out",
        group="privacy",
    ),
    Mutation(
        "number-in-the-gateways-url",
        "7: no phone number in a URL",
        (
            (
                "services/verification/adapters/sms_http.py",
                "                self._sms.method, self._sms.url, content=",
                '                self._sms.method, f"{self._sms.url}?to={to}", content=',
            ),
        ),
        _ANY,
        "leak",
        "URLs of the SMS gateway",
        group="privacy",
    ),
    Mutation(
        "number-in-an-event",
        "7: no phone number in an event in the clear",
        ((_SUBMITTING, "            subject=str(who.rating_id),\n", "            subject=judged.phone,\n"),),
        _ANY,
        "leak",
        "topic rating-submissions-",
        group="privacy",
    ),
    Mutation(
        "pseudonym-without-a-key",
        "7: a pseudonym means nothing without the edition's key",
        (
            (
                "services/intake/domain/identity.py",
                '    return _digest(edition_key, b"phone", phone.encode()).hex()\n',
                "    return hashlib.sha256(phone.encode()).hexdigest()\n",
            ),
        ),
        _ANY,
        "leak",
        "dump of verification",
        group="privacy",
    ),
    Mutation(
        "pseudonym-in-outcomes",
        "7: pseudonyms stay out of outcomes",
        (
            (
                "contracts/events.py",
                "    submission_id: UUID\n    edition_id: Identifier\n",
                '    submission_id: UUID\n    phone_pseudonym: str = ""\n    edition_id: Identifier\n',
            ),
            (
                _OUTCOMES,
                "    channel: Code\n    submitted_at: AwareDatetime\n",
                "    channel: Code\n    phone_pseudonym: str\n    submitted_at: AwareDatetime\n",
            ),
            (
                _OUTCOMES,
                "            channel=submission.channel,\n",
                "            channel=submission.channel,\n"
                "            phone_pseudonym=submission.phone_pseudonym,\n",
            ),
            (
                _OUTCOMES,
                '        "channel": rated.channel,\n',
                '        "channel": rated.channel,\n        "phone_pseudonym": rated.phone_pseudonym,\n',
            ),
        ),
        _ANY,
        "leak",
        "carries its pseudonym",
        group="privacy",
    ),
    Mutation(
        "rating-id-in-outcomes",
        "10: nothing that a citizen holds leads to their outcome",
        (
            (
                _OUTCOMES,
                "    submission_id: UUID\n    edition_id: Identifier\n",
                "    submission_id: UUID\n    rating_id: UUID\n    edition_id: Identifier\n",
            ),
            (
                _OUTCOMES,
                "            submission_id=submission_id,\n",
                "            submission_id=submission_id,\n            rating_id=submission.rating_id,\n",
            ),
            (
                _OUTCOMES,
                "        causation_id=rated.submission_id,\n",
                "        causation_id=rated.rating_id,\n",
            ),
        ),
        _ANY,
        "leak",
        "carries its rating's id",
        group="privacy",
    ),
)
