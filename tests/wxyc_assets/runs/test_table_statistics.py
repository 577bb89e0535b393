"""ANALYZE after a bulk write, and what the log says of it."""

import io
import json
from dataclasses import replace

from resources.step_log import step_log
from wxyc_assets.runs.table_statistics import analyze


def steps(postgres):
    """Analyze a table; return the steps and messages that were logged."""
    stream = io.StringIO()
    analyze(postgres, b"ANALYZE album_metadata", step_log(tool="test", run_id="run", stream=stream))
    return [(line["step"], line["message"]) for line in map(json.loads, stream.getvalue().splitlines())]


def test_analyze_that_the_server_skips_is_said_to_be_skipped(station):
    """PostgreSQL skips it with a warning for a role that does not own the table."""
    assert [step for step, _ in steps(station)] == ["analyze_started"]
    with station.connect() as connection:
        connection.execute("CREATE ROLE no_owner LOGIN; GRANT USAGE ON SCHEMA wxyc_schema TO no_owner")
        connection.execute("GRANT SELECT, INSERT ON album_metadata TO no_owner")
    try:
        (_, (skipped, message)) = steps(replace(station, dsn=f"{station.dsn}&options=-crole%3Dno_owner"))
    finally:
        with station.connect() as connection:
            connection.execute("DROP OWNED BY no_owner; DROP ROLE no_owner")
    assert skipped == "analyze_skipped"
    assert "album_metadata" in message
