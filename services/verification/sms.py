"""Send the phone codes, whatever the gateway is up to."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from chassis.logs import logger
from services.verification import metrics
from services.verification.domain.ratings import PHONE_CODE_LIFETIME
from services.verification.partition import WaitOut
from services.verification.phone_codes import PhoneCodes
from services.verification.ports import (
    Clock,
    KeyRing,
    SmsFailed,
    SmsGateway,
    SmsQueue,
    SmsRefused,
    Unreadable,
    Waiting,
)

log = logger(__name__)
AT_ONCE = 10
LEASE_SECONDS = 60.0  # longer than any attempt takes; a sender that died holds it so long
LOOK_SECONDS = 2.0
GIVE_UP_AFTER = timedelta(minutes=30)
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class SmsSender:
    """The code's time begins when its SMS went out. A gateway that does not answer may have sent it all the
    same; it is sent again, and is the same code.
    """

    def __init__(
        self,
        *,
        queue: SmsQueue,
        gateway: SmsGateway,
        ring: KeyRing,
        codes: PhoneCodes,
        clock: Clock,
        through_database: WaitOut,
        waiting: asyncio.Event,
    ) -> None:
        self._queue = queue
        self._gateway = gateway
        self._ring = ring
        self._codes = codes
        self._clock = clock
        self._through_database = through_database
        self._waiting = waiting

    async def run(self) -> None:
        while True:
            self._waiting.clear()
            leased: Sequence[Waiting] = await self._through_database(
                lambda: self._queue.lease(most=AT_ONCE, seconds=LEASE_SECONDS)
            )
            if leased:
                async with asyncio.TaskGroup() as group:
                    for each in leased:
                        group.create_task(self._send(each))
            else:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._waiting.wait(), LOOK_SECONDS)

    async def _send(self, sms: Waiting) -> None:
        text = self._codes.text(sms.rating_id, sms.language)
        try:
            number = self._ring.open(sms.phone).decode()
            await self._gateway.send(number, text)
        except (SmsRefused, Unreadable) as error:
            await self._give_up(sms, type(error).__name__)
        except SmsFailed as error:
            if self._clock() - sms.created_at > GIVE_UP_AFTER:
                await self._give_up(sms, "too late")
                return
            pause = min(_FIRST_PAUSE * 2 ** min(sms.attempt - 1, 10), _LONGEST_PAUSE)
            metrics.SMS.labels("failed").inc()
            log.warning("SMS not sent, trying again", attempt=sms.attempt, error=str(error), seconds=pause)
            await self._through_database(lambda: self._queue.again(sms.rating_id, seconds=pause))
        else:
            metrics.SMS.labels("sent").inc()
            until = self._clock() + PHONE_CODE_LIFETIME
            await self._through_database(lambda: self._queue.sent(sms.rating_id, code_expires_at=until))

    async def _give_up(self, sms: Waiting, why: str) -> None:
        metrics.SMS.labels("given_up").inc()
        log.error("SMS given up", attempt=sms.attempt, why=why)
        await self._through_database(lambda: self._queue.give_up(sms.rating_id, at=self._clock()))
