"""What changed between two versions of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.differences import LONGEST, difference

words = st.lists(st.sampled_from(["no", "mass", "at", "T6", "cord", "new"]), max_size=10).map(" ".join)


def told(before: str, after: str) -> list[tuple[str, str]]:
    return [(piece.kind, piece.text) for piece in difference(before, after).pieces]


def test_a_changed_word_is_removed_and_added_within_its_sentence() -> None:
    assert told("No cord compression.", "Severe cord compression.") == [
        ("removed", "No"), ("added", " Severe"), ("same", " cord compression."),
    ]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), [("a b", "a b"), ("a b", "a\n  b "), ("", ""), (" ", "\n")])
def test_spaces_alone_are_no_change(before: str, after: str) -> None:
    assert told(before, after) == []


@given(words, words)
def test_without_what_was_added_stands_the_old_and_without_what_was_removed_the_new(a: str, b: str) -> None:
    pieces = told(a, b)
    for text, other in ((a, "added"), (b, "removed")):
        kept = "".join(words for kind, words in pieces if kind != other).split()
        assert kept == text.split() if pieces else a.split() == b.split()


def test_far_words_are_left_out_and_counted() -> None:
    long = "word " * 100
    pieces = told(f"{long}old {long}", f"{long}new {long}")
    assert [kind for kind, _ in pieces] == ["skipped", "same", "removed", "added", "same", "skipped"]
    assert pieces[0][1].strip() == pieces[-1][1].strip() == "88 words as before"


def test_how_many_words_came_and_went_is_told() -> None:
    change = difference("one two three", "one four five three")
    assert (change.added, change.removed) == (2, 1)


def test_a_long_text_with_a_small_change_is_compared_and_one_that_is_all_new_is_not() -> None:
    long = "\n".join(f"line {number}" for number in range(20 * LONGEST))
    small = difference(long, long.replace("line 777\n", "line changed\n"))
    assert not small.is_too_long
    assert (small.added, small.removed) == (1, 1)
    whole = difference(long, " ".join(f"x{number}" for number in range(LONGEST + 1)))
    assert whole.is_too_long
    assert whole.pieces == []
