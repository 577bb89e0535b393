"""The step log: one JSON object per line, with the step and field names that the runbook's grep and jq programs use."""

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Collection, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final, TextIO, TypeAlias

import orjson
import structlog

from resources.redaction import JsonValue, Redactor

REPO: Final = "wxyc_assets"

# One lock for all step logs of the process, because they share a stream.
_WRITING: Final = threading.RLock()

ShowLine: TypeAlias = Callable[[Mapping[str, JsonValue]], None]
"""Shows a line, without secrets, in another place as well, such as a terminal."""


class StepLog:
    """Logs what a run does, step by step; bound to its tool and run id. Thread-safe.

    A field may have any name; one named like a base key (``message``, ``level``, …) overwrites it. No method
    raises because of the values that are logged, or because the stream has lost its reader.
    """

    __slots__ = ("_logger",)

    def __init__(self, logger: structlog.typing.FilteringBoundLogger) -> None:
        self._logger = logger

    def info(self, step: str, message: str = "", /, **fields: object) -> None:
        """Log an expected event."""
        self._logger.info(step, message=message, fields=fields)

    def warning(self, step: str, message: str = "", /, **fields: object) -> None:
        """Log an event that may need attention; the line's level reads ``warn``."""
        self._logger.warning(step, message=message, fields=fields)

    def error(self, step: str, message: str = "", /, **fields: object) -> None:
        """Log an event that stopped the run or lost work."""
        self._logger.error(step, message=message, fields=fields)


def step_log(
    *,
    tool: str,
    run_id: str,
    stream: TextIO | None = None,
    secrets: Collection[str] = (),
    show: ShowLine | None = None,
) -> StepLog:
    """Return the step log of one run.

    Args:
        tool: The program or job that logs, such as ``library-identity-consumer``.
        run_id: Dagster's run id.
        stream: Where the lines go; by default the ``sys.stderr`` of the moment at which a line is written.
        secrets: Strings that never appear in a line; those shorter than four characters are not looked for.
        show: Receives each line before it is written; its OSError or ValueError does not stop the run.

    Source: contract/library-identity.md, "Counters, span attributes, logs".
    """
    shown = [_Shown(show)] if show else []
    return StepLog(
        structlog.wrap_logger(  # fully configured here, so that no structlog.configure() elsewhere changes these lines
            _LineWriter(stream),
            processors=[_BaseKeys(tool, run_id, Redactor(secrets)), *shown, _json_line],
            wrapper_class=structlog.make_filtering_bound_logger(0),
            context_class=dict,
            cache_logger_on_first_use=False,
        ).bind()
    )


class _BaseKeys:
    """First processor: the contract's keys in the contract's order, the fields after them, all without secrets."""

    def __init__(self, tool: str, run_id: str, redactor: Redactor) -> None:
        self._redactor = redactor
        self._base: dict[str, JsonValue] = {"repo": REPO, "tool": redactor.text(tool), "run_id": redactor.text(run_id)}

    def __call__(self, _logger: object, method: str, event: MutableMapping[str, Any]) -> dict[str, JsonValue]:
        line: dict[str, JsonValue] = {
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": "warn" if method == "warning" else method,
            "step": self._redactor.plain(event["event"]),
            "message": self._redactor.plain(event["message"]),
        }
        fields = self._redactor.plain(event["fields"])
        return line | self._base | (fields if isinstance(fields, dict) else {})


def _json_line(_logger: object, _method: str, line: MutableMapping[str, Any]) -> bytes:
    return orjson.dumps(line)


class _Shown:
    """Processor that shows each line elsewhere as well."""

    def __init__(self, show: ShowLine) -> None:
        self._show = show

    def __call__(self, _logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        with contextlib.suppress(OSError, ValueError):  # the terminal is gone
            self._show(line)
        return line


class _LineWriter:
    """Writes each line to the stream with one write; a line that cannot be written is dropped, and the run goes on."""

    def __init__(self, stream: TextIO | None) -> None:
        self._given = stream

    def write(self, line: bytes) -> None:
        with (
            _WRITING,
            contextlib.suppress(OSError, ValueError),
        ):  # the reader is gone, the disk is full, the file is closed
            if self._stream is None:
                return
            descriptor = _descriptor(self._stream)
            if descriptor is None:
                self._stream.write(line.decode() + "\n")
                self._stream.flush()
                return
            self._stream.flush()
            _write_all(descriptor, line + b"\n")

    info = warning = error = write

    @property
    def _stream(self) -> TextIO | None:
        return self._given or sys.stderr


def _descriptor(stream: TextIO) -> int | None:
    """Return the descriptor for writing bytes past the stream's buffers, or None if the stream takes text only.

    Past the buffers, one line is one write(2), so that processes which share a log file do not interleave; JSON is
    UTF-8 whatever the locale; and a line that failed does not stay in a buffer to fail again at exit, which would
    make the exit code 120.
    """
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
