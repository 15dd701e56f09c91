"""The cap: how many unreadable messages are too many, judged before any of a batch is passed."""

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.dead_letters.cap import Cap, Limits, TooManyDeadLetters, Verdict

LIMITS = Limits(window=100, share=0.2, least=10)


def verdicts(reasons: Iterable[str | None], *, start: int = 0) -> list[Verdict]:
    return [Verdict(0, start + number, reason) for number, reason in enumerate(reasons)]


def good(count: int, *, start: int = 0) -> list[Verdict]:
    return verdicts([None] * count, start=start)


def bad(count: int, *, start: int = 0, reason: str = "unknown_type") -> list[Verdict]:
    return verdicts([reason] * count, start=start)


def test_some_bad_messages_among_many_good_ones_are_dead_letters() -> None:
    cap = Cap(LIMITS)
    for start in range(0, 1000, 10):
        cap.judge([*good(8, start=start), *bad(2, start=start + 8)])
    assert cap.share == pytest.approx(0.2)


def test_more_than_the_share_is_too_much() -> None:
    cap = Cap(LIMITS)
    cap.judge(good(100))
    cap.judge(bad(20, start=100))
    with pytest.raises(TooManyDeadLetters):
        cap.judge(bad(1, start=120))


def test_a_few_bad_messages_at_the_start_are_not_too_much_although_all_are_bad() -> None:
    cap = Cap(LIMITS)
    cap.judge(bad(9))
    with pytest.raises(TooManyDeadLetters):
        cap.judge(bad(1, start=9))


def test_a_bad_stretch_within_a_batch_is_not_outweighed_by_what_follows_it() -> None:
    with pytest.raises(TooManyDeadLetters):
        Cap(LIMITS).judge([*bad(50), *good(950, start=50)])


def test_what_left_the_window_counts_no_more() -> None:
    cap = Cap(LIMITS)
    for start in range(0, 2000, 200):
        cap.judge(bad(9, start=start))
        cap.judge(good(191, start=start + 9))
    assert cap.share == 0


def test_it_says_how_many_of_how_many_and_which_reason_is_most_frequent() -> None:
    cap = Cap(LIMITS)
    cap.judge(good(20))
    with pytest.raises(TooManyDeadLetters) as caught:
        cap.judge([*bad(4, start=20, reason="invalid_data"), *bad(9, start=24)])
    found = caught.value
    assert (found.unreadable, found.seen, found.reason, found.most) == (10, 30, "unknown_type", 6)
    assert str(found) == "10 of the last 30 messages cannot be read, most often unknown_type (6 of them)"


def test_a_batch_that_comes_again_counts_once() -> None:
    cap = Cap(LIMITS)
    for _ in range(100):
        cap.judge(bad(9))


def test_the_same_offset_of_another_partition_is_another_message() -> None:
    cap = Cap(LIMITS)
    cap.judge(bad(9))
    with pytest.raises(TooManyDeadLetters):
        cap.judge([Verdict(1, 0, "unknown_type")])


def test_once_exceeded_it_stays_so_for_every_partition() -> None:
    cap = Cap(LIMITS)
    with pytest.raises(TooManyDeadLetters):
        cap.judge(bad(10))
    with pytest.raises(TooManyDeadLetters):
        cap.judge([Verdict(1, number) for number in range(1000)])


def test_a_share_of_one_buries_everything() -> None:
    Cap(Limits(share=1.0)).judge(bad(5000))


def test_a_window_shorter_than_the_least_number_is_as_long_as_that() -> None:
    cap = Cap(Limits(window=5, share=0.2, least=10))
    with pytest.raises(TooManyDeadLetters):
        cap.judge(bad(10))


def _splits(outcomes: list[Verdict], sizes: list[int]) -> Iterator[list[Verdict]]:
    rest = outcomes
    for size in sizes:
        yield rest[:size]
        rest = rest[size:]
    yield rest


@given(
    st.lists(st.sampled_from([None, None, None, "invalid_data"]), max_size=300),
    st.lists(st.integers(1, 60), max_size=20),
)
def test_batches_change_nothing_and_the_rule_is_what_it_says(
    reasons: list[str | None], sizes: list[int]
) -> None:
    """Against the plain rule, over any stream cut anyhow."""
    limits = Limits(window=40, share=0.2, least=5)

    def exceeded(upto: int) -> bool:
        window = reasons[max(0, upto - limits.window) : upto]
        unreadable = sum(reason is not None for reason in window)
        return unreadable >= limits.least and unreadable > limits.share * len(window)

    expected = next((upto for upto in range(1, len(reasons) + 1) if exceeded(upto)), None)
    cap, passed = Cap(limits), 0
    try:
        for batch in _splits(verdicts(reasons), sizes):
            cap.judge(batch)
            passed += len(batch)
    except TooManyDeadLetters:
        assert expected is not None
        assert passed < expected
    else:
        assert expected is None
