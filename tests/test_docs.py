"""Everything that the documents name exists: commands with their options, targets, files, links, columns, settings."""

import re

import click
import psycopg
import pytest

from resources.postgres import Postgres
from tests.documents import MIGRATION, PACKAGES, PAGES, README, ROOT, SETTINGS, code, environment, sources
from wxyc_assets.assets.registry import BY_NAME
from wxyc_assets.cli.program import cli

FOLDERS = (*PACKAGES, "docs", "tests", "benchmarks", "deploy", ".ci")
PATHS = [*ROOT.iterdir(), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))]
NAMES = [f"/{path.relative_to(ROOT).as_posix()}{'/' if path.is_dir() else ''}" for path in PATHS]

each_page = pytest.mark.parametrize("document", PAGES, ids=lambda document: document.name)


# Commands


def parsed(words: list[str]) -> click.Context | None:
    """Parse a command line as ``wxyc`` would, without running it; return None for a command that is only named."""
    command: click.Command = cli
    rest = words[1:]
    while isinstance(command, click.Group) and rest and rest[0] not in {"-h", "--help", "--version"}:
        found = command.get_command(click.Context(command), rest[0])
        assert found, f"there is no {' '.join(words)}"
        command, rest = found, rest[1:]
    if isinstance(command, click.Group) or not rest:
        return None
    stands_for = {"ASSET": "library_identity", "ID": "1"}
    return command.make_context(" ".join(words), [stands_for.get(word, word) for word in rest])


@each_page
def test_wxyc_parses_every_command_line(document):
    """With options that its asset takes."""
    for words in document.commands("wxyc"):
        context = parsed(words)
        if context and words[1] == "run" and words[2] != "ASSET":
            given = {name for name, value in context.params.items() if value} - {"asset", "dry_run"}
            assert given <= BY_NAME[context.params["asset"]].options, " ".join(words)


@pytest.mark.parametrize(
    "line",
    [
        "wxyc bake",
        "wxyc why costs",
        "wxyc run libary_identity",
        "wxyc run rated_usage --sience T",
        "wxyc up --port three",
    ],
)
def test_an_unknown_command_line_is_noticed(line):
    with pytest.raises((AssertionError, click.UsageError)):
        parsed(line.split())


def test_command_lines_are_found_wherever_a_page_may_show_them():
    shown = [" ".join(words[1:]) for document in PAGES for words in document.commands("wxyc")]
    assert {
        "demo",
        "run ASSET --partition K --since T --until T --dry-run --plan --recheck --include-null-canonical",
    } <= set(shown)
    assert {"sandbox lml --port 8081", "run album_metadata --dry-run", "why usage --auth A --hour H"} <= set(shown)
    assert len(shown) > 60


@each_page
def test_every_make_target_exists(document):
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {words[1] for words in document.commands("make")} <= targets


def test_the_tests_know_every_command_of_the_shell_blocks():
    lines = [line for document in PAGES for body in document.fenced("sh") for line in body.splitlines()]
    assert [
        line for line in lines if not line.startswith(("wxyc ", "curl ")) and "# on the real station" not in line
    ] == []


# Files, modules, links


@each_page
def test_every_file_and_folder_named_exists(document):
    text = re.sub(r"https?://\S+", "", document.text)
    files = re.findall(r"(?<![\w/.*-])((?:[\w.-]+/)*[\w.-]+\.(?:py|sql|md|ya?ml|csv|png|toml|lock))\b", text)
    folders = re.findall(r"(?<![\w/.~$*:-])((?:[a-z_]+/)+)(?=[\s`)])", text)
    assert [name for name in (*files, *folders) if not any(there.endswith(f"/{name}") for there in NAMES)] == []


@each_page
def test_every_link_leads_to_a_page_and_its_heading(document):
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", document.text):
        name, _, anchor = target.partition("#")
        path = (document.path.parent / name) if name else document.path
        assert path.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}, target


# Tables, columns, queries


@pytest.fixture(scope="module")
def planning(server, station_template):
    """A connection to a migrated station, for queries and their plans."""
    dsn = server.create_database(template=str(psycopg.conninfo.conninfo_to_dict(station_template)["dbname"]))
    with Postgres(dsn).connect() as connection:
        yield connection
    server.drop_database(dsn)


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or path.is_dir()


@each_page
def test_every_dotted_name_is_a_module_or_a_database_object(document, planning):
    there = {
        name
        for (name,) in planning.execute(
            "SELECT n.nspname || '.' || o.name FROM pg_namespace n JOIN ("
            "SELECT relnamespace AS place, relname AS name FROM pg_class UNION SELECT pronamespace, proname FROM pg_proc "
            "UNION SELECT relnamespace, relname || '.' || attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            ") o ON o.place = n.oid WHERE n.nspname IN ('wxyc_assets', 'wxyc_schema', 'public')"
        )
    }
    named = re.findall(
        r"\b((?:wxyc_assets|wxyc_schema|public|resources|sensors)(?:\.[a-z_][a-z_0-9]*)+)\b(?!\.py|[(/])", document.text
    )
    assert [name for name in named if name not in there and not is_module(name)] == []


@each_page
def test_every_query_can_be_planned_on_a_migrated_station(document, planning):
    blocks = document.fenced("sql") if document is not README else []  # the README's is applied by the test of its role
    queries = [query for body in blocks for query in body.split(";") if query.strip()]
    queries += re.findall(r"^ {4,}(SELECT .*?);", "\n".join(document.indented), re.MULTILINE | re.DOTALL)
    queries += [span for span in document.spans if span.startswith("SELECT ")]
    for query in queries:
        assert planning.execute(b"EXPLAIN " + query.encode()).fetchall()


# Settings


@each_page
def test_every_setting_named_exists(document):
    gone = {name for names, _, now in environment() if not now.startswith("stays") for name in code(names)}
    mentioned = set(re.findall(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b", document.text))
    mentioned -= {"CURRENT_USER"}  # a keyword of SQL
    unknown = mentioned - SETTINGS - (gone if document.path.name in {MIGRATION.path.name, "CHANGELOG.md"} else set())
    constants = set(re.findall(r"^([A-Z][A-Z0-9_]+)\b(?:: [^=]+)? = ", sources(*PACKAGES, "deploy"), re.MULTILINE))
    assert unknown - constants <= set(re.findall(r'"(WXYC_[A-Z_]+)"', sources("tests")))
