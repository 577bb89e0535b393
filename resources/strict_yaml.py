"""Reads YAML and keeps every scalar as the text of the file, with its line number. Pure.

The reader converts nothing, so that no number loses a digit to a float. It refuses everything that could give a file another
meaning than the visible one: repeated keys, merge keys, tags, further documents, invisible characters. An alias becomes the
node that it names, never a copy, so that the cost of reading is linear in the bytes, however aliases are nested.
"""

import re
from collections.abc import Iterator

import yaml  # ships no types; the values that leave this module are annotated here

from resources.yaml_text import Entry, Listing, Mapping, Node, Problem, Refused, Text, shown

MAX_DEPTH = 16
"""The reader stops at a deeper nesting."""

MAX_REASON_CHARS = 300

_HIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)"
)
"""Characters that YAML refuses, that only YAML reads as a line end (NEL, LS, PS, a lone CR: a comment could hide a line), and
that reverse the direction of reading."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""Characters that an escape can produce and that PostgreSQL cannot store as text."""


def parse(data: bytes) -> tuple[Node, list[Problem]]:
    """Return the one document in ``data``, and all of its problems as strict YAML.

    A document whose reading stops half-way is returned as ``Refused``. Never raises, for any bytes.
    """
    problems: list[Problem] = []
    text = _decoded(data, problems)
    if text is None:
        return Refused(1), problems
    reader = _Reader(text, problems)
    try:
        return reader.document(), problems
    except _StopReadingError:
        return Refused(1), problems


def _decoded(data: bytes, problems: list[Problem]) -> str | None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.append(Problem(line, f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"))
        return None
    if text.startswith("\ufeff"):
        problems.append(Problem(1, "the file starts with a byte order mark; save it as UTF-8 without one"))
        text = text[1:]
    hidden = list(_hidden(text))
    problems.extend(hidden)
    return None if hidden else text


def _hidden(text: str) -> Iterator[Problem]:
    for number, line in enumerate(text.split("\n"), start=1):
        # With the line end, so that a CR in front of it is not a lone one.
        found = _HIDDEN.search(line + "\n")
        if found:
            yield Problem(
                number,
                f"character U+{ord(found[0]):04X} is invisible or no part of YAML; remove it, or escape it in quotes",
            )


class _StopReadingError(Exception):
    """Reading stops; the problem is reported already."""


class _Reader:
    """Turns PyYAML's events into nodes. Events, because composing would drop tags and recurse as deep as the file is nested."""

    def __init__(self, text: str, problems: list[Problem]) -> None:
        self._events = yaml.SafeLoader(text)
        self._problems = problems
        self._anchored: dict[str, Node] = {}

    def document(self) -> Node:
        """Return the only document."""
        self._next()  # the stream's start
        if isinstance(self._peek(), yaml.StreamEndEvent):
            raise self._stop(None, "the file is empty")
        self._next()
        root = self._node(0)
        self._next()
        beyond = self._peek()
        if isinstance(beyond, yaml.DocumentStartEvent):
            self._report(_line(beyond), "a second document starts here; only the first would be read")
        return root

    def _peek(self) -> yaml.Event:
        try:
            return self._events.peek_event()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            says = " ".join(part for part in (error.context, error.problem) if part)
            raise self._stop(mark.line + 1, f"not YAML: {says[:MAX_REASON_CHARS]}") from error
        except (ValueError, OverflowError) as error:  # PyYAML's own: an escape beyond Unicode, a version of 5000 digits
            line = self._events.get_mark().line + 1
            raise self._stop(line, "not YAML: the number in an escape or a directive is out of range") from error

    def _next(self) -> yaml.Event:
        event = self._peek()
        self._events.get_event()
        return event

    def _node(self, depth: int) -> Node:
        event = self._next()
        line = _line(event)
        if depth > MAX_DEPTH:
            raise self._stop(line, f"nested more than {MAX_DEPTH} levels deep")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, line)
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!", 1)
            self._report(line, f"tag {shown(tag)}: tags are not allowed; quote what is to be text")
        node = self._content(event, line, depth)
        if event.anchor is not None:
            self._anchored[event.anchor] = node  # only now: a node that contains its own alias would be endless
        return node

    def _alias(self, event: yaml.AliasEvent, line: int) -> Node:
        if event.anchor not in self._anchored:
            self._report(line, f"alias {shown(event.anchor)} stands for nothing that is complete above it")
            return Refused(line)
        return self._anchored[event.anchor]

    def _content(self, event: yaml.Event, line: int, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, line)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(line, depth)
        while not isinstance(self._peek(), yaml.SequenceEndEvent):
            self._node(depth + 1)
        self._next()
        return Listing(line)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> Node:
        if _UNSTORABLE.search(event.value):
            self._report(line, f"{shown(event.value)} holds a character that cannot be stored as text")
            return Refused(line)
        return Text(event.value, line, quoted=event.style is not None)

    def _mapping(self, line: int, depth: int) -> Mapping:
        entries: list[Entry] = []
        first_lines: dict[str, int] = {}
        while not isinstance(self._peek(), yaml.MappingEndEvent):
            key, value = self._node(depth + 1), self._node(depth + 1)
            if isinstance(key, Text) and not self._merges(key):
                self._note_repetition(key, first_lines)
                entries.append(Entry(key, value))
            elif not isinstance(key, Text | Refused):
                self._report(key.line, "a key must be text, not a mapping or a list")
        self._next()
        return Mapping(tuple(entries), line)

    def _merges(self, key: Text) -> bool:
        if key.quoted or key.text != "<<":
            return False
        self._report(key.line, "merge key <<: merging is not allowed; write out what is merged")
        return True

    def _note_repetition(self, key: Text, first_lines: dict[str, int]) -> None:
        if key.text in first_lines:
            first = first_lines[key.text]
            self._report(key.line, f"key {shown(key.text)} is given twice, first on line {first}")
        first_lines.setdefault(key.text, key.line)

    def _report(self, line: int | None, message: str) -> None:
        self._problems.append(Problem(line, message))

    def _stop(self, line: int | None, message: str) -> _StopReadingError:
        self._report(line, message)
        return _StopReadingError(message)


def _line(event: yaml.Event) -> int:
    return int(event.start_mark.line) + 1
