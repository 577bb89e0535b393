"""Reads the errors that Dagster records of a failed step or run."""

from typing import Protocol


class RecordedError(Protocol):
    """One exception as Dagster records it: its message, its class and the error that caused it."""

    @property
    def message(self) -> str:
        """The class and the text of the exception."""

    @property
    def cls_name(self) -> str | None:
        """The name of the exception's class; None if Dagster does not know it."""

    @property
    def cause(self) -> "RecordedError | None":
        """The error that this one wraps; None for the innermost."""


def root_cause(error: RecordedError) -> RecordedError:
    """Return the innermost error. Dagster wraps the exception of a step and names it as the cause of its wrapper."""
    while error.cause:
        error = error.cause
    return error
