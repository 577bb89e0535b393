"""``wxyc migrate``: our own schema, from its revision to the newest."""

import psycopg


def test_migrate_prints_both_revisions_and_changes_nothing_twice(wxyc, database):
    first = wxyc("migrate", DATABASE_URL=database)
    assert (first.exit_code, first.printed["before"]) == (0, None)
    second = wxyc("migrate", DATABASE_URL=database)
    assert second.printed["before"] == second.printed["after"] == first.printed["after"]
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('wxyc_assets.tally') IS NOT NULL").fetchone() == (True,)


def test_unreachable_database_exits_1_without_its_password(wxyc):
    finished = wxyc("migrate", DATABASE_URL="postgresql://x:secretpw@127.0.0.1:9/x")
    assert finished.exit_code == 1
    assert "cannot be reached" in finished.printed["error"]
    assert "secretpw" not in finished.stdout + finished.stderr
