"""An SMS gateway that is called over HTTP."""

import json
from dataclasses import dataclass, field
from string import Template
from urllib.parse import quote

import httpx

from services.verification.ports import SmsFailed, SmsRefused

SECONDS = 10.0
# Wrong credentials or address, or too many at once: ours to mend, and the message is still good.
_PASSING = {401, 403, 404, 405, 407, 408, 425, 429}


@dataclass(frozen=True, slots=True)
class HttpSms:
    """`body` holds $to and $text, escaped for `content_type`: JSON or a form. `headers` may be secret."""

    url: str
    method: str = "POST"
    body: str = '{"to": "$to", "text": "$text"}'
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict, repr=False)


class HttpSmsGateway:
    def __init__(self, client: httpx.AsyncClient, sms: HttpSms) -> None:
        self._client = client
        self._sms = sms
        self._body = Template(sms.body)

    async def send(self, to: str, text: str) -> None:
        escape = _in_json if "json" in self._sms.content_type else _in_form
        content = self._body.substitute(to=escape(to), text=escape(text))
        headers = {**self._sms.headers, "Content-Type": self._sms.content_type}
        try:
            response = await self._client.request(
                self._sms.method, self._sms.url, content=content.encode(), headers=headers, timeout=SECONDS
            )
        except httpx.HTTPError as error:
            raise SmsFailed(type(error).__name__) from None  # the request in it holds the message
        if response.is_success:
            return
        if response.is_client_error and response.status_code not in _PASSING:
            raise SmsRefused(f"status {response.status_code}")
        raise SmsFailed(f"status {response.status_code}")


def _in_json(value: str) -> str:
    return json.dumps(value)[1:-1]


def _in_form(value: str) -> str:
    return quote(value, safe="")
