"""YAML as text with lines; everything that could give a file another meaning than the visible one is refused."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from resources.strict_yaml import MAX_DEPTH, parse
from resources.yaml_text import Entry, Listing, Mapping, Node, Problem, Refused, Text


def messages(data: str | bytes) -> list[str]:
    """Return every problem with its line."""
    return [str(problem) for problem in parse(data.encode() if isinstance(data, str) else data)[1]]


def entries_of(node: Node) -> tuple[Entry, ...]:
    assert isinstance(node, Mapping)
    return node.entries


def plain(node: Node) -> object:
    """Return a node as dictionaries and strings, without lines."""
    if isinstance(node, Mapping):
        return {entry.key.text: plain(entry.value) for entry in node.entries}
    return node.text if isinstance(node, Text) else node


def test_every_scalar_stays_the_text_of_the_file_with_its_line():
    root, problems = parse(
        b"# a comment\nrate: 0.000000150\n\nexact:\n  quoted: '1_000'\n  flag: yes\n  day: 2026-01-01\n"
    )
    assert problems == []
    assert root == Mapping(
        (
            Entry(Text("rate", 2), Text("0.000000150", 2)),
            Entry(
                Text("exact", 4),
                Mapping(
                    (
                        Entry(Text("quoted", 5), Text("1_000", 5, quoted=True)),
                        Entry(Text("flag", 6), Text("yes", 6)),
                        Entry(Text("day", 7), Text("2026-01-01", 7)),
                    ),
                    5,
                ),
            ),
        ),
        2,
    )


@pytest.mark.parametrize("spelling", ["", "~", "null"])
def test_a_null_is_read_as_absent_and_a_quoted_one_as_text(spelling):
    root, problems = parse(f'bare: {spelling}\nquoted: "{spelling}"\n'.encode())
    values = [entry.value for entry in entries_of(root)]
    assert values == [Text(spelling, 1), Text(spelling, 2, quoted=True)]
    assert problems == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: *rate\nc: &rate 2\n", "line 2: alias 'rate' stands for nothing"),
        ("a: 1\nb: &all {c: *all}\n", "line 2: alias 'all' stands for nothing"),
        ("a: &all [1]\nb: {<<: *all}\n", "line 2: merge key <<: merging is not allowed"),
        ("a: 1\nb: {<<: {c: 2}}\n", "line 2: merge key <<: merging is not allowed"),
        ("a: 1\nb: !!float 2\n", "line 2: tag '!!float': tags are not allowed"),
        ("a: 1\nb: !secret 2\n", "line 2: tag '!secret': tags are not allowed"),
        ("a: 1\nb: 2\n'a': 3\n", "line 3: key 'a' is given twice, first on line 1"),
        ("a: 1\nb: {c: 1, c: 1}\n", "line 2: key 'c' is given twice, first on line 2"),
        ("a: 1\n? [b]\n: 2\n", "line 2: a key must be text"),
        ("a: 1\n---\nb: 2\n", "line 2: a second document starts here"),
        ("a: 1\nb: '\n", "line 3: not YAML: while scanning a quoted scalar found unexpected end of stream"),
        ("a: 1\n\tb: 2\n", "line 2: not YAML: while scanning for the next token found character"),
        ('a: 1\nb: "\\UFFFFFFFF"\n', "line 2: not YAML: the number in an escape or a directive is out of range"),
        ('a: 1\nb: "\\U00110000"\n', "line 2: not YAML: the number in an escape or a directive is out of range"),
        (f"%YAML 1.{'9' * 5000}\n---\na\n", "line 1: not YAML: the number in an escape or a directive is out of range"),
        ("%YAML 2.0\n---\na: 1\n", "line 1: not YAML: found incompatible YAML document"),
        ('a: 1\n"b\\0": 2\n', "line 2: 'b\\x00' holds a character that cannot be stored"),
        ('a: 1\nb: "\\uD800"\n', "line 2: '\\ud800' holds a character that cannot be stored"),
        ("\ufeffa: 1\n", "line 1: the file starts with a byte order mark"),
        ("a: 1\nb: \0\n", "line 2: character U+0000 is invisible"),
        ("a: 1\nb: \x1b[31m\n", "line 2: character U+001B is invisible"),
        ("a: 1\nb: \ufeff2\n", "line 2: character U+FEFF is invisible"),
        ("a: 1\nb: 2\rc: 3\n", "line 2: character U+000D is invisible"),
        ("a: 1 # old\u2028b: 2\n", "line 1: character U+2028 is invisible"),
        ("a: 1 # old\x85b: 2\n", "line 1: character U+0085 is invisible"),
        ("a: 1\nb: 2 # \u202e3\n", "line 2: character U+202E is invisible"),
        (b"a: 1\nb: \xff\n", "line 2: byte 0xff is not UTF-8"),
        ("a: 1\n".encode("utf-16"), "line 1: byte 0xff is not UTF-8"),
        ("", "the file is empty"),
        ("# only\n# comments\n", "the file is empty"),
    ],
)
def test_what_could_mislead_a_reader_is_refused_with_its_line(text, problem):
    (only,) = messages(text)
    assert only.startswith(problem)


def test_a_file_with_the_line_ends_of_windows_is_read():
    assert plain(parse(b"a: 1\r\nb:\r\n  c: 2\r\n")[0]) == {"a": "1", "b": {"c": "2"}}
    assert messages(b"a: 1\r\nb: !x 2\r\n")[0].startswith("line 2: ")


def test_an_alias_is_the_node_that_it_names():
    root, problems = parse(b"a: &a\n  x: &x '1'\nb: *a\nc: *x\nd: &a 2\ne: *a\n")
    assert problems == []
    assert plain(root) == {"a": {"x": "1"}, "b": {"x": "1"}, "c": "1", "d": "2", "e": "2"}
    assert entries_of(root)[1].value is entries_of(root)[0].value
    assert entries_of(root)[2].value == Text("1", 2, quoted=True)


@pytest.mark.parametrize("level", ["[{0}]", "{{{1}}}"])
def test_aliases_that_would_expand_to_billions_cost_nothing(level):
    def uses(number):
        aliases = [f"*l{number}"] * 10
        return level.format(", ".join(aliases), ", ".join(f"k{place}: {alias}" for place, alias in enumerate(aliases)))

    root, problems = parse(("l0: &l0 lol\n" + "".join(f"l{n}: &l{n} {uses(n - 1)}\n" for n in range(1, 40))).encode())
    assert problems == []
    assert len(entries_of(root)) == 40


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused_and_not_recursed_into(opening):
    deep, allowed = opening * 200_000, opening * (MAX_DEPTH - 1)
    assert messages(deep) == [f"line 1: nested more than {MAX_DEPTH} levels deep"]
    assert not any("nested" in problem for problem in messages(allowed))


def test_a_list_and_a_refused_value_are_not_text():
    root, problems = parse(b"list: [a, {b: 1}]\nalias: *x\n")
    assert [type(entry.value) for entry in entries_of(root)] == [Listing, Refused]
    assert len(problems) == 1


def test_reading_goes_on_behind_a_refused_part():
    assert [line[:6] for line in messages("a: *x\n[]: 1\nc: !t 2\nc: 3\n<<: 4\n---\n")] == [
        f"line {n}" for n in range(1, 7)
    ]


@given(st.one_of(st.binary(max_size=60), st.text("ab01 \n\t:,{}[]&*!|>'\"%@`#?-<\\~x\r\u2028\0", max_size=60)))
def test_any_bytes_return_a_document_or_problems(data):
    root, problems = parse(data if isinstance(data, bytes) else data.encode())
    assert isinstance(root, Mapping | Listing | Text | Refused)
    assert problems or not isinstance(root, Refused)
    assert all(isinstance(problem, Problem) and str(problem).isprintable() for problem in problems)


KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
DOCUMENTS = st.recursive(KEYS, lambda inner: st.dictionaries(KEYS, inner, max_size=4), max_leaves=12).filter(
    lambda document: isinstance(document, dict)
)


@given(DOCUMENTS, st.booleans())
def test_texts_that_pyyaml_writes_are_read_back(document, flow):
    written = yaml.safe_dump(document, default_flow_style=flow, default_style='"', allow_unicode=False, width=1000)
    root, problems = parse(written.encode())
    assert problems == []
    assert plain(root) == document
