"""The README's way onto the real station: the role it makes is enough for everything, and for nothing more."""

import re
import uuid
from pathlib import Path

import psycopg
import pytest

from resources.postgres import Postgres
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays
from wxyc_assets.sandbox.station import create

README = (Path(__file__).parents[3] / "README.md").read_text()


@pytest.fixture
def role(server):
    """A name of this test's own for the README's role: roles belong to the whole server."""
    name = f"role_{uuid.uuid4().hex[:8]}"
    yield name
    with Postgres(server.dsn("postgres")).connect() as admin:
        admin.execute(psycopg.sql.SQL("DROP ROLE IF EXISTS {}").format(psycopg.sql.Identifier(name)))


def test_the_readmes_role_can_migrate_pass_the_doctor_and_run_and_cannot_touch_the_catalogue(
    wxyc, server, role, at_station
):
    (sql,) = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)
    dsn = server.create_database()
    try:
        with Postgres(dsn).connect() as admin:
            create(admin, sample=False)
            generate_libraries(admin, 100)
            generate_plays(admin, 50)
            admin.execute(re.sub(r"\b(ROLE|AUTHORIZATION|TO) wxyc_assets\b", rf"\1 {role}", sql))
        as_role = re.sub(r"//[^@/]+@", f"//{role}@", dsn)
        settings = {**at_station, "DATABASE_URL": as_role}
        migrated = wxyc("migrate", **settings)
        assert migrated.exit_code == 0, migrated.stderr
        doctor = wxyc("doctor", **settings)
        assert doctor.exit_code == 0, doctor.stdout
        finished = wxyc("run", "library_identity", LML_CAPTURE_SAMPLE_RATE="1", **settings)
        assert finished.exit_code == 0, finished.stderr
        assert finished.printed["totals"]["scanned"] == 100
        metadata = wxyc("run", "album_metadata", LML_DISCOGS_BUDGET_PER_MIN="6000", **settings)
        assert metadata.exit_code == 0, metadata.stderr
        assert metadata.printed["totals"]["upserts"] > 0
        plays = wxyc("run", "flowsheet_enrichment", **settings)
        assert plays.exit_code == 0, plays.stderr
        assert plays.printed["totals"]["flipped"] > 0
        glance = wxyc("status", **settings)
        assert glance.exit_code == 0, glance.stderr
        assert glance.printed["assets"]["flowsheet_enrichment"]["partitions"]["fresh"] == 16
        alerts = wxyc("alerts", **settings)
        assert (alerts.exit_code, alerts.printed["open"]) == (0, 0)
        with Postgres(as_role).connect() as connection:
            assert connection.execute("SELECT count(*) FROM library_identity").fetchone() > (80,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("UPDATE library SET album_title = 'x'")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("DELETE FROM library_identity")
        with Postgres(dsn).connect() as admin:
            assert admin.execute("SELECT count(*) > 0 FROM io_log").fetchone() == (True,)
    finally:
        server.drop_database(dsn)
