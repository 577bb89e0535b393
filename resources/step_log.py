"""The step log: one JSON object a line, in the words that the runbook's grep and jq programs know."""

import contextlib
import os
import sys
import threading
from collections.abc import Collection, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import orjson
import structlog

from resources.redaction import JsonValue, Redactor

REPO: Final = "wxyc_assets"

# One lock for all step logs of the process, because they share a stream.
_WRITING: Final = threading.RLock()

_LEVEL_COLOURS: Final = {"info": "\x1b[32m", "warn": "\x1b[33m", "error": "\x1b[31m"}
_DIM, _BOLD, _RESET = "\x1b[2m", "\x1b[1m", "\x1b[0m"
_LEADING: Final = ("timestamp", "level", "step", "message")


class StepLog:
    """Says what a run does, step by step; bound to its tool and run id, and shared by threads.

    A field may have any name; one named like a base key (``message``, ``level``, …) overwrites it. Nothing here raises
    because of what is logged or because nobody reads the stream any more.
    """

    __slots__ = ("_logger",)

    def __init__(self, logger: structlog.typing.FilteringBoundLogger) -> None:
        self._logger = logger

    def info(self, step: str, message: str = "", /, **fields: object) -> None:
        """Log what happened as planned."""
        self._logger.info(step, message=message, fields=fields)

    def warning(self, step: str, message: str = "", /, **fields: object) -> None:
        """Log what someone may want to look at; the line's level reads ``warn``."""
        self._logger.warning(step, message=message, fields=fields)

    def error(self, step: str, message: str = "", /, **fields: object) -> None:
        """Log what stopped the run or lost work."""
        self._logger.error(step, message=message, fields=fields)


def step_log(
    *, tool: str, run_id: str, human: bool | None = None, stream: TextIO | None = None, secrets: Collection[str] = ()
) -> StepLog:
    """Return the step log of one run.

    Args:
        tool: The program or job that speaks, such as ``library-identity-consumer``.
        run_id: Dagster's run id.
        human: Readable lines instead of JSON; by default when the stream is a terminal.
        stream: Where the lines go; by default whatever ``sys.stderr`` is when a line is written.
        secrets: Strings that never appear in a line; those shorter than four characters are not looked for.

    Source: contract/library-identity.md, "Counters, span attributes, logs".
    """
    lines = _LineWriter(stream)
    terminal = lines.is_terminal()
    render = (
        _HumanLine(colours=terminal and not os.environ.get("NO_COLOR"))
        if human or (human is None and terminal)
        else _json_line
    )
    return StepLog(
        structlog.wrap_logger(  # everything is said here, so that nobody's structlog.configure() changes our lines
            lines,
            processors=[_BaseKeys(tool, run_id, Redactor(secrets)), render],
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


class _HumanLine:
    """Last processor on a terminal: time, level, step, message, key=value; repo, tool and run id are left out."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours

    def __call__(self, _logger: object, _method: str, line: MutableMapping[str, Any]) -> bytes:
        shown = {key: value for key, value in line.items() if key not in {"repo", "tool", "run_id"}}
        time, level, step, message = (_word(shown.pop(key), quoted=False) for key in _LEADING)
        parts = [
            self._paint(_DIM, time),
            self._paint(_LEVEL_COLOURS.get(level, _BOLD), f"{level:<5}"),
            self._paint(_BOLD, step),
            *([message] if message else []),
            *(f"{self._paint(_DIM, _word(key) + '=')}{_word(value)}" for key, value in shown.items()),
        ]
        return " ".join(parts).encode()

    def _paint(self, style: str, text: str) -> str:
        return f"{style}{text}{_RESET}" if self._colours else text


def _word(value: JsonValue, *, quoted: bool = True) -> str:
    """Return one value as text that stays on its line and cannot steer a terminal."""
    if not isinstance(value, str):
        return orjson.dumps(value).decode()
    if quoted and (not value or any(sign.isspace() or sign in '"=' for sign in value)):
        value = orjson.dumps(value).decode()
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in value)


class _LineWriter:
    """Puts each line on the stream with one write; a line that cannot be written is lost, never the run."""

    def __init__(self, stream: TextIO | None) -> None:
        self._given = stream

    def is_terminal(self) -> bool:
        with contextlib.suppress(OSError, ValueError):
            return bool(self._stream is not None and self._stream.isatty())
        return False

    def write(self, line: bytes) -> None:
        with _WRITING, contextlib.suppress(OSError, ValueError):  # nobody reads, the disk is full, the file is closed
            if self._stream is None:
                return
            descriptor = None if self.is_terminal() else _descriptor(self._stream)
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
    """Return where to write bytes past the stream's buffers, or None when the stream has only text.

    Past the buffers, one line is one write(2), so that processes which share a log file do not interleave; JSON is
    UTF-8 whatever the locale; and a line that failed does not stay behind to fail again at exit, which would turn the
    exit code into 120. A terminal keeps its text layer: a progress bar may have put itself there.
    """
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
