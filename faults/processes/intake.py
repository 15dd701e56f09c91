"""Intake that fails beside its acknowledgement from Kafka."""

from chassis import http, logs
from contracts.envelope import Message
from faults.processes.failpoints import Failpoint
from services.intake import bootstrap
from services.intake.adapters.kafka_log import KafkaLog
from services.intake.settings import Settings


def serve(failpoint: Failpoint) -> None:
    class FailingLog(KafkaLog):
        async def append(self, topic: str, message: Message) -> None:
            failpoint.here("before-append")
            await super().append(topic, message)
            failpoint.here("after-append")

    settings = Settings()
    logs.configure("intake", level=settings.log_level)
    vars(bootstrap)["KafkaLog"] = FailingLog
    http.serve(
        bootstrap.create(settings),
        public=http.Address(settings.host, settings.port),
        operations=http.Address(settings.operations_host, settings.operations_port),
    )
