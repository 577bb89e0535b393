"""The role of the README for the real station is enough for every command, and for nothing more."""

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
def roles(server):
    """Names of this test's own for an administrator who is no superuser and for the role: roles belong to the whole server."""
    name = uuid.uuid4().hex[:8]
    administrator, role = f"administrator_{name}", f"role_{name}"
    with Postgres(server.dsn("postgres")).connect() as superuser:
        superuser.execute(f"CREATE ROLE {administrator} LOGIN CREATEROLE CREATEDB")
        yield administrator, role
        superuser.execute(f"DROP DATABASE IF EXISTS {role} WITH (FORCE)")
        superuser.execute(f"DROP ROLE IF EXISTS {role}")
        superuser.execute(f"DROP ROLE {administrator}")


@pytest.fixture
def owned_station(server, roles):
    """The DSN of a station whose database and tables the administrator owns, as on a hosted PostgreSQL."""
    administrator, _ = roles
    dsn = server.create_database()
    with Postgres(dsn).connect() as superuser:
        superuser.execute(f"ALTER DATABASE {superuser.info.dbname} OWNER TO {administrator}")
        superuser.execute(f"ALTER SCHEMA public OWNER TO {administrator}")
    with Postgres(re.sub(r"//[^@/]+@", f"//{administrator}@", dsn)).connect() as connection:
        create(connection, sample=False)
    with Postgres(dsn).connect() as superuser:
        generate_libraries(superuser, 100)
        generate_plays(superuser, 50)
    yield dsn
    server.drop_database(dsn)


def apply_readme(dsn, administrator, role):
    """Execute the README's statements one by one, as psql does: CREATE DATABASE is refused in a transaction."""
    (sql,) = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)
    sql = re.sub(r"\b(ROLE|AUTHORIZATION|TO|OWNER|GRANT) wxyc_assets\b", rf"\1 {role}", sql)
    sql = re.sub(r"DATABASE dagster\b", f"DATABASE {role}", re.sub(r"--.*", "", sql))
    with psycopg.connect(re.sub(r"//[^@/]+@", f"//{administrator}@", dsn), autocommit=True) as connection:
        assert connection.info.parameter_status("is_superuser") == "off"
        for statement in filter(str.strip, sql.split(";")):
            connection.execute(statement)


def test_role_of_the_readme_is_enough_and_nothing_more(wxyc, roles, owned_station, at_station):
    administrator, role = roles
    dsn = owned_station
    apply_readme(dsn, administrator, role)
    as_role = re.sub(r"//[^@/]+@", f"//{role}@", dsn)
    dagster = re.sub(r"/t_\w+", f"/{role}", as_role)
    settings = {**at_station, "DATABASE_URL": as_role, "DAGSTER_DATABASE_URL": dagster}
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
    status = wxyc("status", **settings)
    assert status.exit_code == 0, status.stderr
    assert status.printed["assets"]["flowsheet_enrichment"]["partitions"]["fresh"] == 16
    alerts = wxyc("alerts", **settings)
    assert (alerts.exit_code, alerts.printed["open"]) == (0, 0)
    with Postgres(as_role).connect() as connection:
        ((identities,),) = connection.execute("SELECT count(*) FROM library_identity").fetchall()
        assert identities > 80
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE library SET album_title = 'x'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM library_identity")
    with Postgres(dsn).connect() as admin:
        assert admin.execute("SELECT count(*) > 0 FROM io_log").fetchone() == (True,)
