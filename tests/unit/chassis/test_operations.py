"""What operators' metrics say of what a process waits for."""

import httpx
from fastapi import FastAPI

from chassis import operations
from chassis.readiness import Readiness


async def test_metrics_say_what_a_process_waits_for_as_readyz_does() -> None:
    app, readiness = FastAPI(), Readiness()
    operations.install(app, readiness)
    kafka = readiness.check("kafka")
    readiness.check("mood", required=False).up()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        shown = (await client.get("/metrics")).text
        assert 'readiness_check_up{check="kafka",required="true"} 0.0' in shown
        assert 'readiness_check_up{check="mood",required="false"} 1.0' in shown
        kafka.up()
        assert 'check="kafka",required="true"} 1.0' in (await client.get("/metrics")).text
