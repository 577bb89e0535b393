"""``wxyc doctor``: each illness is found, named, and given advice; one does not hide another."""

import psycopg


def ill(finished):
    return {finding["name"]: finding for finding in finished.printed["findings"] if not finding["ok"]}


def test_a_healthy_station_passes(wxyc, at_station):
    finished = wxyc("doctor", **at_station)
    assert finished.exit_code == 0, finished.stdout
    assert finished.printed["ok"] is True


def test_every_bad_setting_is_a_finding_of_its_own_beside_the_others(wxyc, at_station):
    found = ill(wxyc("doctor", **{**at_station, "STALE_THRESHOLD_DAYS": "soon", "LML_COST_LOOKUP_ITEM": "-1"}))
    assert {"setting STALE_THRESHOLD_DAYS", "setting LML_COST_LOOKUP_ITEM"} <= found.keys()


def test_a_database_that_is_down_is_found_and_lml_is_looked_at_all_the_same(wxyc, at_station):
    finished = wxyc("doctor", **{**at_station, "DATABASE_URL": "postgresql://x:secretpw@127.0.0.1:9/x"})
    assert finished.exit_code == 1
    assert "cannot be reached" in ill(finished)["database"]["says"]
    assert any(finding["name"] == "LML" and finding["ok"] for finding in finished.printed["findings"])
    assert "secretpw" not in finished.stdout + finished.stderr


def test_missing_tables_are_named(wxyc, at_station, database):
    found = ill(wxyc("doctor", **{**at_station, "DATABASE_URL": database}))
    assert "library_identity" in found["station tables"]["says"]
    assert "wxyc migrate" in found["our schema"]["says"]


def test_missing_privileges_are_named_with_the_grant_that_mends_them(wxyc, at_station, station):
    with station.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS doctor_test")
        connection.execute("CREATE ROLE doctor_test LOGIN")
        connection.execute("GRANT USAGE ON SCHEMA wxyc_schema TO doctor_test")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA wxyc_schema TO doctor_test")
    try:
        as_role = psycopg.conninfo.make_conninfo(station.dsn, user="doctor_test")
        parts = psycopg.conninfo.conninfo_to_dict(as_role)
        url = f"postgresql://doctor_test@/{parts['dbname']}?host={parts['host']}&port={parts.get('port', 5432)}"
        found = ill(wxyc("doctor", **{**at_station, "DATABASE_URL": url}))
    finally:
        with station.connect() as connection:
            connection.execute("DROP OWNED BY doctor_test")
            connection.execute("DROP ROLE doctor_test")
    assert "UPDATE (unresolved_attempted_at)" in found["privileges on library"]["says"]
    assert "GRANT INSERT" in found["privileges on library_identity_history"]["advice"]
    assert "our schema" in found
    sequence = "library_identity_history_history_id_seq"
    assert f"GRANT USAGE ON SEQUENCE wxyc_schema.{sequence}" in found[f"privileges on {sequence}"]["advice"]


def test_lml_down_is_found(wxyc, at_station):
    found = ill(wxyc("doctor", **{**at_station, "LIBRARY_METADATA_URL": "http://127.0.0.1:9"}))
    assert "LML" in found


def test_a_wrong_key_is_found_and_never_shown(wxyc, at_station):
    finished = wxyc("doctor", **{**at_station, "LML_API_KEY": "wrong-key-marker"})
    assert "LML_API_KEY" in ill(finished)
    assert "wrong-key-marker" not in finished.stdout + finished.stderr


def test_nothing_configured_says_what_to_start(wxyc, environ, tmp_path):
    found = ill(wxyc("doctor", WXYC_HOME=str(tmp_path)))
    assert "wxyc up" in found["database"]["advice"]
    assert "wxyc up" in found["LML"]["advice"]


def test_a_sentry_dsn_that_is_none_is_found(wxyc, at_station):
    assert "setting SENTRY_DSN" in ill(wxyc("doctor", **{**at_station, "SENTRY_DSN": "not-a-dsn"}))
