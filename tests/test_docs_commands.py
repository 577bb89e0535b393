"""Every command line of every document works on a sandbox station, and prints one object, or rows."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from resources.postgres import Postgres
from resources.redaction import Redactor
from tests import program
from tests.documents import PAGES
from tests.system import SYSTEM
from wxyc_assets.monitoring.alerts import outbox
from wxyc_assets.monitoring.alerts.rules import Alert
from wxyc_assets.sandbox import station as sandbox_station
from wxyc_assets.sandbox.lml.server import SandboxLml
from wxyc_assets.sandbox.sample import SAMPLE_PRICES

SERVED_ELSEWHERE = {"demo", "up", "down", "sandbox", "psql", "completion", "--help"}
"""Commands that start or stop servers, or print no object; tests/wxyc_assets/cli runs them."""

EVERY_OPTION = "run ASSET --partition K --since T --until T --dry-run --plan --recheck --include-null-canonical"
"""The synopsis: no asset takes all options at once. tests/wxyc_assets/cli/test_run.py runs each with its asset."""


def _lines() -> list[str]:
    """Return the distinct command lines in the order of the documents, without commands that are only named."""
    found = [" ".join(words[1:]) for page in PAGES for words in page.commands("wxyc")]
    complete = [
        line
        for line in found
        if line
        not in {
            "run",
            EVERY_OPTION,
            "prices check",
            "why",
            "why usage",
            "rated accept",
            "rated pushed",
            "changes",
            "bill",
            "prices compare",
            "export",
            "runbook NAME",
            "seal",
            "seal --reopen",
            "seal --reopen --hour H --reason REASON",
            "verify",
        }
    ]
    return [line for line in dict.fromkeys(complete) if line.split()[0] not in SERVED_ELSEWHERE]


@dataclass
class Sandbox:
    """A station with the sample catalogue, and values for the placeholders of the documents."""

    postgres: Postgres
    environ: dict[str, str]

    def run(self, line: str) -> program.Finished:
        return program.run([self.stands_for(word) for word in line.split()], self.environ, 150)

    def stands_for(self, word: str) -> str:
        values = {
            "ASSET": "library_identity",
            "K": "3",
            "ID": "1",
            "A": "key-archive",
            "H": "2026-06-08T10:00:00Z",
            "T": "2026-06-09T00:00:00Z",
            "M": "2026-06",
            "U": "2026-06-10T00:00:00Z",
            "OUT": f"{self.environ['HOME']}/rows",
        }
        files = dict.fromkeys(("FILE", "$PRICE_FILE", "OLD", "NEW"), str(SAMPLE_PRICES))
        return str(self.an_alert()) if word == "12" else {**values, **files}.get(word, word)

    def an_alert(self) -> int:
        """Return the id of an open alert."""
        alert = Alert("library_identity", "check", "given_up", "error", "no", frozenset({"3"}))
        with self.postgres.connect() as connection:
            outbox.raise_alert(connection, alert, outbox.RunRef("run", _now(connection), 1), redact=Redactor().plain)
            ((alert_id,),) = connection.execute("SELECT max(alert_id) FROM wxyc_assets.alert WHERE source = 'given_up'")
        return int(alert_id)


def _now(connection: Any) -> Any:
    return connection.execute("SELECT now()").fetchone()[0]


@pytest.fixture(scope="module")
def sandbox(server, tmp_path_factory):
    dsn, store = server.create_database(), server.create_database()
    postgres = Postgres(dsn)
    with postgres.connect() as connection:
        sandbox_station.create(connection, sample=True)
    home = tmp_path_factory.mktemp("home")
    with SandboxLml() as lml:
        environ = {
            **SYSTEM,
            "HOME": str(home),
            "WXYC_HOME": str(home),
            "DATABASE_URL": dsn,
            "DAGSTER_DATABASE_URL": store,
            "LIBRARY_METADATA_URL": lml.url,
            "LML_API_KEY": "sandbox-key",
            "LML_DISCOGS_BUDGET_PER_MIN": "100000",
            "PRICE_FILE": str(SAMPLE_PRICES),
        }
        there = Sandbox(postgres, environ)
        assert there.run("migrate").exit_code == 0
        yield there
    server.drop_database(dsn)
    server.drop_database(store)


def test_the_documents_have_many_commands():
    assert len(_lines()) > 20
    assert {"status", "alerts", "doctor", "migrate", "budget", "alerts --close 12"} <= set(_lines())


@pytest.mark.parametrize("line", _lines())
def test_a_command_of_the_documents_works(sandbox, line):
    finished = sandbox.run(line)
    assert finished.exit_code in {0, 2}, finished.stdout + finished.stderr
    if "--csv" in line or ("export" in line and "--output" not in line):
        assert "," in finished.stdout.splitlines()[0]
        return
    (said,) = finished.stdout.splitlines()
    printed = json.loads(said)
    assert printed
    assert "error" not in printed
