"""An LML that echoes the key it was called with, in every encoding: the key is in nothing that a command leaves behind."""

import base64
import json
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote

import psycopg
import pytest

from tests.resources.lml.loopback import Loopback, Play, serving
from tests.sentry_server import sentry_server
from wxyc_assets.sandbox.generator import generate_libraries

KEY = "sk-7f/3a+9c=never.to?be~seen"
SPELLINGS = {
    "plain": KEY,
    "percent-encoded": "".join(f"%{ord(sign):02X}" for sign in KEY),
    "percent-encoded in part": KEY.replace("/", "%2f").replace("n", "%6E"),
    "JSON in JSON": "".join(f"\\u{ord(sign):04x}" for sign in KEY),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64, urlsafe, behind a name": base64.urlsafe_b64encode(b"user:" + KEY.encode()).decode(),
    "hexadecimal": KEY.encode().hex(),
}


def shows_the_key(text: str) -> list[str]:
    """Return the spellings that stand in a text; after undoing the escapes of JSON, which each layer adds."""
    plain = text.replace("\\", "").replace("u00", "\\u00")
    found = [name for name, spelling in SPELLINGS.items() if spelling in text or spelling in unquote(text)]
    return found + [name for name, spelling in SPELLINGS.items() if name not in found and spelling in plain]


def everything_stored(dsn: str) -> str:
    with psycopg.connect(dsn) as connection:
        query = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname !~ '^pg_|^information'"
        tables = connection.execute(query).fetchall()
        rows = [connection.execute(f"SELECT t::text FROM {table} t").fetchall() for (table,) in tables]
    return "\n".join(text for table in rows for (text,) in table)


def echo(lml: Loopback, status: int) -> Play:
    """Answer with the key in all fields and with this status; a resolve gets one verdict a library, /health its form."""

    def play(handler: BaseHTTPRequestHandler) -> None:
        sent = handler.headers.get("Authorization", "").removeprefix("Bearer ")
        assert sent in {"", KEY}
        echoed = " ".join(SPELLINGS.values())
        asked = lml.seen[-1]
        inputs = asked.json.get("inputs", []) if asked.body else []
        verdicts = [{"library_id": one["library_id"], "kind": echoed, "note": echoed} for one in inputs]
        body = {
            "status": "healthy",
            "commit_sha": echoed,
            "message": f"Bearer of {echoed}",
            echoed: echoed,
            "results": verdicts,
        }
        content = json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.send_header("Retry-After", echoed)
        handler.end_headers()
        handler.wfile.write(content)

    return play


@pytest.mark.parametrize("status", [200, 401, 500])
def test_an_echoed_key_is_in_nothing_that_a_run_or_doctor_leaves(wxyc, at_station, station, home, status):
    with station.connect() as connection:
        generate_libraries(connection, 40)
    with serving() as lml, sentry_server() as sentry:
        lml.always = echo(lml, status)
        settings = at_station | {"LIBRARY_METADATA_URL": lml.url, "LML_API_KEY": KEY, "SENTRY_DSN": sentry.dsn}
        doctor = wxyc("doctor", **settings)
        run = wxyc("run", "library_identity", **settings)
        alerts = wxyc("alerts", **settings)
        quarantine = wxyc("quarantine", **settings)
        assert any(seen.headers.get("authorization") == f"Bearer {KEY}" for seen in lml.seen)
        sent = json.dumps([sentry.events, sentry.check_ins])
    assert 0 not in {doctor.exit_code, run.exit_code}
    files = "\n".join(path.read_text(errors="replace") for path in (home / "dagster").rglob("*") if path.is_file())
    left = {
        **{f"{name}'s {stream}": getattr(finished, stream) for stream in ("stdout", "stderr") for name, finished in {
            "doctor": doctor, "run": run, "alerts": alerts, "quarantine": quarantine}.items()},
        "the station": everything_stored(station.dsn),
        "Dagster's storage": everything_stored(at_station["DAGSTER_DATABASE_URL"]),
        "Dagster's files": files,
        "Sentry": sent,
    }  # fmt: skip
    assert {place: found for place, text in left.items() if (found := shows_the_key(text))} == {}
    assert "[redacted]" in "".join(left.values())


def test_the_search_of_this_file_finds_each_spelling():
    for name, spelling in SPELLINGS.items():
        assert name in shows_the_key(f"a {spelling} b")
        assert name in shows_the_key(json.dumps(json.dumps({"a": spelling})))
