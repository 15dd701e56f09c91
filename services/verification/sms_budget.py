"""Raise the alarm when SMS run short, or when many are withheld: somebody may be pumping them."""

from chassis.logs import logger
from chassis.readiness import Check
from services.verification import metrics
from services.verification.domain.sending import Alarm, Limits, Totals, alarms

log = logger(__name__)
CHECK = "sms_budget"


class SmsBudget:
    """Says each change once in the log; `check` shows what rings now."""

    def __init__(self, limits: Limits, check: Check) -> None:
        self._limits = limits
        self._check = check
        self._ringing: frozenset[Alarm] = frozenset()

    def seen(self, totals: Totals) -> None:
        metrics.SMS_BUDGET_USED.set(totals.sent_today / self._limits.per_day)
        before, self._ringing = self._ringing, alarms(self._limits, totals)
        facts = {
            "sent_today": totals.sent_today,
            "budget": self._limits.per_day,
            "withheld_this_hour": totals.withheld_this_hour,
        }
        for alarm in sorted(self._ringing - before):
            log.error("SMS alarm", alarm=alarm.value, **facts)
        for alarm in sorted(before - self._ringing):
            log.info("SMS alarm over", alarm=alarm.value, **facts)
        if self._ringing:
            self._check.down(", ".join(sorted(self._ringing)))
        else:
            self._check.up()
