"""Turns log lines of a run into lines for a terminal."""

from collections.abc import Mapping
from datetime import datetime

import orjson

from resources.redaction import JsonValue

LEVEL_STYLES = {"warn": "yellow", "error": "red"}
_SAID_ELSEWHERE = {
    "timestamp", "level", "step", "message", "repo", "tool", "run_id", "error_message", "error_name",
}  # fmt: skip


def line_text(line: Mapping[str, JsonValue]) -> str:
    """Return what a line says: its message or error, else its step, and its other fields; no control characters."""
    said = line.get("error_message") or line.get("message")
    fields = [f"{word(name)}={word(value, quoted=True)}" for name, value in line.items() if name not in _SAID_ELSEWHERE]
    if said and line.get("level") == "info":
        return word(said)
    step = word(line.get("step", ""))
    text = f"{step}: {word(said)}" if said else step
    return f"{text} ({' '.join(fields)})" if fields else text


def line_time(line: Mapping[str, JsonValue]) -> str:
    """Return the local time of day of a line."""
    return datetime.fromisoformat(str(line["timestamp"])).astimezone().strftime("%H:%M:%S")


def word(value: JsonValue, *, quoted: bool = False) -> str:
    """Return one value as text that stays on its line and cannot steer a terminal."""
    if not isinstance(value, str):
        return orjson.dumps(value).decode()
    if quoted and (not value or any(sign.isspace() or sign in '"=' for sign in value)):
        value = orjson.dumps(value).decode()
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in value)
