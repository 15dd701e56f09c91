"""Who calls: an API client with a key, or anyone; from which address block, in which session.

The rule for addresses: a request comes from its peer, or from where trusted proxies say. A key in force makes
the client that holds it one more trusted hop: it says where its citizen is, and in which session they are.
Nobody else is believed. Answers to a key that does not do are those of RFC 6750, section 3.
"""

import re
from dataclasses import dataclass

from fastapi import Request

from chassis.origin import Proxies
from chassis.problems import Problem
from contracts.city_time import city_day
from contracts.events import ApiClientPublished, Vouching
from services.intake import faults
from services.intake.domain import identity
from services.intake.domain.clients import OPEN_CHANNEL, SCREEN, holder
from services.intake.domain.limits import Caller
from services.intake.ports import Parts

KEYED_CHANNEL = "portal"
SESSION = "hailong-session"
_VISIT = re.compile(r"[\x21-\x7e]{16,128}")
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a caller."""

    caller: Caller
    client: ApiClientPublished | None = None

    def channel(self, asked: str | None) -> str:
        """The channel that the rating gets. Raises Problem where it is not this caller's to use."""
        channel = asked or (KEYED_CHANNEL if self.client else OPEN_CHANNEL)
        if self.client is None and channel != OPEN_CHANNEL:
            raise Problem(faults.KEY_MISSING, headers={"WWW-Authenticate": "Bearer"}, channel=channel)
        if self.client is not None and channel not in self.client.channels:
            challenge = 'Bearer error="insufficient_scope"'
            raise Problem(faults.CHANNEL_NOT_YOURS, headers={"WWW-Authenticate": challenge}, channel=channel)
        return channel

    def vouching(self, asked: bool, channel: str) -> Vouching | None:
        """Who vouches for the rating, where it says that somebody does. Raises Problem for who may not."""
        if not asked:
            return None
        if self.client is None or not self.client.vouches or channel != SCREEN:
            challenge = 'Bearer error="insufficient_scope"'
            raise Problem(faults.VOUCHING_NOT_YOURS, headers={"WWW-Authenticate": challenge})
        return Vouching.DEVICE


class Callers:
    """One a process."""

    def __init__(self, parts: Parts, proxies: Proxies) -> None:
        self._parts = parts
        self._proxies = proxies

    def of(self, request: Request) -> Known:
        """Raises DirectoryUnread, or Problem for a key that is not in force."""
        day = city_day(self._parts.clock())
        secret = self._parts.keys.secret
        client = self._client(request)
        address = self._proxies.address(request, vouched=client is not None)
        origin = identity.origin(secret, day, address) if address is not None else None
        visit = request.headers.get(SESSION, "")
        if client is None:
            return Known(Caller(origin=origin))
        session = None
        if _VISIT.fullmatch(visit):
            session = identity.session(secret, day, client.client_id, visit)
        return Known(Caller(client.client_id, session, origin), client)

    def _client(self, request: Request) -> ApiClientPublished | None:
        said = request.headers.get("authorization")
        if said is None:
            return None
        key = _BEARER.fullmatch(said)
        clients = self._parts.directory.current.clients
        client = holder(key[1], clients, city_day(self._parts.clock())) if key else None
        if client is None:
            challenge = 'Bearer error="invalid_token"'
            raise Problem(faults.KEY_NOT_IN_FORCE, headers={"WWW-Authenticate": challenge})
        return client
