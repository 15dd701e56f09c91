"""Send the phone codes, whatever the gateway is up to, and no more of them than the limits allow."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from chassis.logs import logger
from services.verification import hashing, metrics
from services.verification.domain.ratings import PHONE_CODE_LIFETIME
from services.verification.domain.sending import Limits, Postpone, Send, Withhold, may_send
from services.verification.partition import WaitOut
from services.verification.phone_codes import PhoneCodes
from services.verification.ports import (
    Clock,
    KeyRing,
    SmsFailed,
    SmsGateway,
    SmsLedger,
    SmsQueue,
    SmsRefused,
    Unreadable,
    Waiting,
)
from services.verification.sms_budget import SmsBudget

log = logger(__name__)
AT_ONCE = 10
LEASE_SECONDS = 60.0  # longer than any attempt takes; a sender that died holds it so long
LOOK_SECONDS = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0


class SmsSender:
    """Each attempt is counted as sent, then made: a crash or an error in between costs one, and never sends
    one too many. A gateway that failed may have delivered it all the same; the next attempt has another code.

    Nothing here changes what the rating looks like from outside: an SMS that is withheld, refused or too late
    leaves it as it is, to expire like any whose code is never entered.
    """

    def __init__(
        self,
        *,
        queue: SmsQueue,
        ledger: SmsLedger,
        limits: Limits,
        budget: SmsBudget,
        gateway: SmsGateway,
        ring: KeyRing,
        codes: PhoneCodes,
        clock: Clock,
        through_database: WaitOut,
        waiting: asyncio.Event,
    ) -> None:
        self._queue = queue
        self._ledger = ledger
        self._limits = limits
        self._budget = budget
        self._gateway = gateway
        self._ring = ring
        self._codes = codes
        self._clock = clock
        self._through_database = through_database
        self._waiting = waiting
        self._failures = 0  # turns, one after another

    async def run(self) -> None:
        while True:
            self._waiting.clear()
            failures = self._failures
            handled = await self.turn()
            if self._failures > failures:
                await asyncio.sleep(min(_FIRST_PAUSE * 2 ** min(failures, 10), _LONGEST_PAUSE))
            elif not handled:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._waiting.wait(), LOOK_SECONDS)

    async def turn(self) -> int:
        """Handle what is due; returns how many that were.

        While the gateway fails they are tried one by one, or its outage would use up the day's budget.
        """
        most = 1 if self._failures else AT_ONCE
        leased: Sequence[Waiting] = await self._through_database(
            lambda: self._queue.lease(most=most, seconds=LEASE_SECONDS)
        )
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._handle(each)) for each in leased]
        answered = [task.result() for task in tasks]
        if False in answered:
            self._failures += 1
        elif True in answered:
            self._failures = 0
        self._budget.seen(await self._through_database(lambda: self._ledger.totals(self._clock())))
        return len(leased)

    async def _handle(self, sms: Waiting) -> bool | None:
        """Whether the gateway answered; None where it was not asked."""
        if self._clock() > sms.awaited_until - PHONE_CODE_LIFETIME:
            await self._give_up(sms, "too late")
            return None
        allowed = await self._through_database(lambda: self._allowed(sms))
        return await self._send(sms) if allowed else None

    async def _allowed(self, sms: Waiting) -> bool:
        now = self._clock()
        async with self._ledger.spending(sms, now) as spending:
            verdict = may_send(
                self._limits,
                spending.spent,
                origin_known=sms.origin is not None,
                now=now,
                latest=sms.awaited_until - PHONE_CODE_LIFETIME,
            )
            match verdict:
                case Send():
                    await spending.spend()
                case Postpone():
                    await spending.postpone(verdict.until)
                case Withhold():
                    await spending.withhold()
        if isinstance(verdict, Withhold):
            metrics.SMS_WITHHELD.labels(verdict.cause.value).inc()
        return isinstance(verdict, Send)

    async def _send(self, sms: Waiting) -> bool | None:
        made = await hashing.aside(self._codes.make, sms.rating_id, sms.salt, self._clock())
        kept = await self._through_database(lambda: self._queue.keep(sms.rating_id, made.salt, made.hashed))
        if not kept:  # decided meanwhile, and no more in the queue
            return None
        try:
            number = self._ring.open(sms.phone).decode()
            await self._gateway.send(number, made.text(sms.language))
        except (SmsRefused, Unreadable) as error:
            await self._give_up(sms, type(error).__name__)
        except SmsFailed as error:
            metrics.SMS.labels("failed").inc()
            log.warning("SMS not sent, trying again", attempt=sms.attempt, error=str(error))
            await self._through_database(lambda: self._queue.again(sms.rating_id))
            return False
        else:
            metrics.SMS.labels("sent").inc()
            await self._through_database(lambda: self._queue.done(sms.rating_id))
        return True

    async def _give_up(self, sms: Waiting, why: str) -> None:
        metrics.SMS.labels("given_up").inc()
        log.error("SMS given up", attempt=sms.attempt, why=why)
        await self._through_database(lambda: self._queue.done(sms.rating_id))
