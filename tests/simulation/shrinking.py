"""Shrinks the steps of a failed simulation: the fewest that still break the same invariant."""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def shrink(steps: Sequence[T], still_fails: Callable[[Sequence[T]], bool], attempts: int) -> list[T]:
    """Return a part of ``steps``, in their order, for which ``still_fails`` holds as well; it holds for all of them.

    Leaves parts out, first large ones, then smaller ones, until no single step can be left out or after ``attempts`` calls.
    """
    kept, size = list(steps), max(1, len(steps) // 2)
    while attempts > 0:
        left_out = False
        start = len(kept)
        while (
            start > 0 and attempts > 0
        ):  # from the end: what happened last is likely to be needed, what is before it is not
            start = max(0, start - size)
            candidate = kept[:start] + kept[start + size :]
            if len(candidate) == len(kept) or not candidate:
                continue
            attempts -= 1
            if still_fails(candidate):
                kept, left_out = candidate, True
        if size == 1 and not left_out:
            break
        size = max(1, size // 2) if not left_out or size > 1 else 1
    return kept
