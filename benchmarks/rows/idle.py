"""The whole embedded stack with nothing to do: servers, services, portal and sign-in."""

import asyncio

from benchmarks.bench import Bench
from benchmarks.processes import ALL_CORES, cpu_seconds, memory_mib
from benchmarks.results import Goal, Row
from benchmarks.rows.aggregation import quiet
from chassis import key_files
from deploy.local.stack import COMMANDS, identity_provider

SETTLED_SECONDS = 10.0
MEMORY_MIB, OF_A_CORE = 1024.0, 3.0


async def measure(bench: Bench, row: Row) -> None:
    """Memory is proportional (PSS): what processes share is counted once."""
    stack, seconds = bench.stack, bench.sizes.idle_seconds
    row.how = (
        f"one of each process, {seconds:g} s without a request, after {SETTLED_SECONDS:g} s; memory as PSS"
    )
    stack.spread()
    sign_in = None
    try:
        bench.tell("idle: building the portal's assets")
        await stack.step("portal-assets", "portal.assets", "build")
        for name in COMMANDS:
            bench.tell(f"idle: starting {name}")
            await stack.serve(name, cores=ALL_CORES)
        key_files.create(stack.layout.sign_in_secret)
        sign_in = identity_provider(stack.wiring)
        await sign_in.start()
        await quiet(stack.database.url("aggregation"))
        pids = {
            **stack.servers,
            **{name: each.process.pid for name, each in stack.running.items()},
            "sign-in": sign_in.process.pid,
        }
        await asyncio.sleep(SETTLED_SECONDS)
        bench.tell(f"idle: {seconds:g} s of nothing")
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        await asyncio.sleep(seconds)
        busy = {name: 100 * (cpu_seconds(pid) - before[name]) / seconds for name, pid in pids.items()}
        memory = {name: memory_mib(pid) for name, pid in pids.items()}
    finally:
        if sign_in is not None:
            await sign_in.process.stop()
        await stack.end_all()
        stack.keep_apart()
    for name in pids:
        row.figures[name] = f"{memory[name]:.0f} MiB, {busy[name]:.1f} % of a core"
    row.goals = [
        Goal(
            what="memory of the whole stack, idle", got=sum(memory.values()), wanted=MEMORY_MIB,
            at_least=False, unit=" MiB",
        ),
        Goal(
            what="CPU of the whole stack, idle, of a core", got=sum(busy.values()), wanted=OF_A_CORE,
            at_least=False, unit=" %",
        ),
    ]  # fmt: skip
