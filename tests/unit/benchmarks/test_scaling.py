"""The arithmetic of docs/scaling.md, and the simulation beside it."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.batches import Worker, come, waits
from benchmarks.capacity import BUSY, REPLICAS, Habits, batches, need, reach
from benchmarks.scaling import MEASURED, wait

CODELESS = Habits(codes=0)


def test_whatever_is_asked_there_are_two_of_each() -> None:
    assert set(need(0.01, MEASURED, partitions=6).processes.values()) == {REPLICAS}


def test_no_process_is_busier_than_it_may_be() -> None:
    for rate in (1, 50, 500, 0.99 * min(reach(MEASURED).values())):
        needed = need(rate, MEASURED, CODELESS, partitions=64)
        for name, processes in needed.processes.items():
            assert needed.cores[name] / processes <= BUSY, (name, rate)


def test_one_process_less_would_be_too_busy() -> None:
    needed = need(0.9 * min(reach(MEASURED).values()), MEASURED, partitions=96)
    for name in ("portal", "verification API", "aggregation API"):
        assert needed.processes[name] > REPLICAS
        assert needed.cores[name] / (needed.processes[name] - 1) > BUSY


def test_replicas_of_intake_share_the_taking_but_not_the_reading_back() -> None:
    costs = replace(MEASURED, take=0.001, tail=0.0001, one_at_a_time=0.00001)
    wanted = {
        rate: need(rate, costs, CODELESS, partitions=64).processes["intake"] for rate in (900, 3_900, 5_900)
    }
    assert wanted[900] == 2
    assert wanted[3_900] == 19
    assert wanted[5_900] > 500


def test_beyond_its_reach_a_system_says_what_bounds_it() -> None:
    costs = replace(MEASURED, tail=0.0001, one_at_a_time=0.00001)
    with pytest.raises(ValueError, match="every replica of intake reads all submissions"):
        need(6_001, costs, partitions=64)


def test_no_more_workers_are_promised_than_partitions_keep_at_work() -> None:
    with pytest.raises(ValueError, match="13 verification workers want as many partitions, there are 12"):
        need(1_300, replace(MEASURED, hash=0.06), partitions=12)


def test_a_code_costs_two_hashes() -> None:
    without = need(100, MEASURED, CODELESS, partitions=24).cores["verification worker"]
    half = need(100, MEASURED, replace(CODELESS, codes=0.5), partitions=24).cores["verification worker"]
    assert half - without == pytest.approx(100 * MEASURED.hash)


def test_who_hashes_has_a_core_for_each_of_its_threads() -> None:
    needed = need(100, replace(MEASURED, hash=0.12), replace(CODELESS, codes=0.5), partitions=24)
    assert needed.processes["verification worker"] == 10


def test_a_batch_is_of_one_until_messages_come_while_it_lasts() -> None:
    assert batches(3, MEASURED.deciding, readers=6) == 3
    assert batches(1_000, replace(MEASURED.deciding, lasts=0.1), readers=6) == 60


def test_who_comes_alone_waits_for_one_batch_of_one() -> None:
    worker = Worker(batch=0.02, message=0.001, most=10, look=0.1)
    assert waits(np.array([0.0, 5.0, 9.0]), worker) == pytest.approx([0.121, 0.121, 0.121])


def test_who_comes_during_a_batch_is_in_the_next_together_with_others() -> None:
    worker = Worker(batch=1.0, message=0.0, most=10)
    assert waits(np.array([0.0, 0.2, 0.9]), worker) == pytest.approx([1.0, 1.8, 1.1])


def test_a_full_batch_leaves_the_rest_for_later() -> None:
    worker = Worker(batch=1.0, message=0.0, most=2)
    assert waits(np.zeros(5), worker) == pytest.approx([1, 1, 2, 2, 3])


def test_batches_keep_up_where_single_messages_would_not() -> None:
    worker = Worker(batch=0.02, message=0.0001, most=500)
    assert np.quantile(waits(come(1_000, 60, seed=1), worker), 0.99) < 0.1


def test_beyond_what_full_batches_take_the_wait_grows_without_end() -> None:
    worker = Worker(batch=0.02, message=0.001, most=500)
    waited = waits(come(1_200, 60, seed=1), worker)
    assert waited[-1] > 5 > waited[len(waited) // 20]


def test_what_a_city_waits_is_well_below_a_second_and_grows_when_batches_are_full() -> None:
    calm, busy = wait(1, partitions=6, seed=1), wait(2_000, partitions=6, seed=1)
    assert calm[1] < busy[1] < 1
    assert wait(8_000, partitions=48, seed=1)[1] > 10
