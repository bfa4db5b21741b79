"""Intervals and tests of shares, against tables and against what they promise."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.statistics.estimates import at_most, clopper_pearson, holm, quantiles, same_share, wilson


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        # Newcombe, Stat Med 1998;17:857-872, table I, methods 3 (score) and 5 (exact).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_is_that_of_the_tables(hits: int, of: int, low: float, high: float) -> None:
    assert wilson(hits, of) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0000, 0.1684),
        (1, 29, 0.0009, 0.1776),
        (0, 300, 0.0, 1 - 0.025 ** (1 / 300)),
        (1000, 1000, 0.025 ** (1 / 1000), 1.0),
    ],
)
def test_clopper_pearson_is_that_of_the_tables(hits: int, of: int, low: float, high: float) -> None:
    assert clopper_pearson(hits, of) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@settings(deadline=None)  # the machine of the tests may be busy
@given(st.integers(1, 400).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_at_the_exact_bounds_the_tails_have_a_chance_of_one_in_forty(count: tuple[int, int]) -> None:
    hits, of = count
    bounds = clopper_pearson(hits, of)
    assert bounds is not None
    low, high = bounds
    assert 0 <= low <= hits / of <= high <= 1
    if hits > 0:
        assert 1 - at_most(hits - 1, of, low) == pytest.approx(0.025, abs=1e-6)
    if hits < of:
        assert at_most(hits, of, high) == pytest.approx(0.025, abs=1e-6)


@given(st.integers(1, 10**6).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_wilson_holds_the_share_and_mirrors(count: tuple[int, int]) -> None:
    hits, of = count
    low, high = wilson(hits, of) or (2.0, 2.0)
    assert 0 <= low <= hits / of <= high <= 1
    mirrored = wilson(of - hits, of) or (2.0, 2.0)
    assert (1 - mirrored[1], 1 - mirrored[0]) == (pytest.approx(low), pytest.approx(high))


def test_nothing_has_no_share() -> None:
    assert wilson(0, 0) is clopper_pearson(0, 0) is None


@pytest.mark.parametrize(("hits", "of"), [(0, 6), (2, 6), (5, 6), (6, 6)])
def test_the_chance_of_so_few_is_the_sum_of_its_terms(hits: int, of: int) -> None:
    by_hand = sum(math.comb(of, k) * 0.3**k * 0.7 ** (of - k) for k in range(hits + 1))
    assert at_most(hits, of, 0.3) == pytest.approx(by_hand)


def test_two_shares_are_compared_as_by_hand() -> None:
    # 30 of 200 against 15 of 200: pooled 0.1125, z = 0.075 / sqrt(0.1125 * 0.8875 / 100) = 2.3735.
    assert same_share(30, 200, 15, 200) == pytest.approx(0.01762, abs=1e-5)
    assert same_share(30, 200, 15, 200) == same_share(15, 200, 30, 200)
    assert same_share(20, 200, 20, 200) == 1.0


@pytest.mark.parametrize(
    "counts", [(4, 1000, 4, 1000), (0, 0, 5, 10), (0, 10, 0, 10), (0, 0, 0, 0), (10, 10, 10, 10)]
)
def test_too_few_are_not_compared(counts: tuple[int, int, int, int]) -> None:
    assert same_share(*counts) is None


def test_holm_is_that_of_the_textbook() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_times_of_what_is_done_are_plain_quantiles() -> None:
    assert quantiles([4, 1, 3, 2], [], (0.5, 0.9)) == [2, 4]


def test_times_take_what_still_waits_into_account() -> None:
    # Kaplan-Meier by hand: 6 at risk; done at 1 (5/6), one leaves at 2, done at 3 (5/6 * 3/4 = 0.625),
    # done at 4 (0.625 * 2/3 = 0.4167), one leaves at 5, done at 6 (0).
    assert quantiles([6.0, 1.0, 3.0, 4.0], [5.0, 2.0], (0.3, 0.5, 0.9)) == [3.0, 4.0, 6.0]
    # Done at 2 while another that waits since 2 is still at risk: 2/3, then, alone, 0.
    assert quantiles([2.0, 3.0], [2.0], (0.3, 0.5)) == [2.0, 3.0]
    assert quantiles([1.0], [9.0, 9.0], (0.5,)) == [None]
    assert quantiles([], [], (0.5,)) == [None]
