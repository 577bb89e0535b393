"""A batch is one transaction with its quarantine and its tally; a refused row is left out alone."""

import threading

import psycopg
import pytest

from tests.blocked_sessions import wait_until_blocked
from wxyc_assets.assets.rotation_identity.counters import Counters
from wxyc_assets.assets.rotation_identity.verdicts import Candidate, Outcome
from wxyc_assets.assets.rotation_identity.writer import Writer

NO_COUNTERS = Counters()


@pytest.fixture
def connection(rotation):
    with rotation.postgres.connect() as connection:
        yield connection


def resolved(rotation_id, identity_id=None):
    return Outcome(Candidate(rotation_id, 1000 + rotation_id), "resolved", identity_id or rotation_id + 5000)


def violated(rotation_id):
    return Outcome(
        Candidate(rotation_id, 1000 + rotation_id), "contract_violation", reason="NUL \0", payload_digest="d"
    )


def other(rotation_id, bucket):
    return Outcome(Candidate(rotation_id, 1000 + rotation_id), bucket)


def refuse(rotation, rotation_id, *, code="P0001"):
    """Create a trigger of the station that refuses one row."""
    rotation.execute(
        "CREATE FUNCTION wxyc_schema.refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'not this one' USING ERRCODE = '{code}'; END $$"
    )
    rotation.execute(
        "CREATE TRIGGER refuse BEFORE UPDATE ON rotation FOR EACH ROW "
        f"WHEN (NEW.id = {rotation_id}) EXECUTE FUNCTION wxyc_schema.refuse()"
    )


def test_a_batch_is_written_with_its_counters(connection, rotation):
    writer = Writer(connection, "run")
    outcomes = [resolved(1), resolved(2), other(3, "unresolved"), other(4, "lml_error")]
    assert writer.write(outcomes, Counters(lml_total_calls=4)) == outcomes
    writer.write([resolved(5)], Counters(lml_total_calls=1))
    assert {i: identity for i, identity in rotation.identities.items() if identity} == {1: 5001, 2: 5002, 5: 5005}
    assert writer.tallied == Counters(scanned=5, resolved=3, unresolved=1, lml_error=1, lml_total_calls=5)
    assert Counters.from_stored(rotation.tallied("run")) == writer.tallied
    assert rotation.rows("SELECT partition_key, complete FROM wxyc_assets.tally") == [("all", False)]
    writer.complete()
    assert rotation.rows("SELECT partition_key, complete FROM wxyc_assets.tally") == [("all", True)]


def test_a_row_changed_meanwhile_is_raced_and_left_unchanged(connection, rotation):
    rotation.execute("UPDATE rotation SET lml_identity_id = 77 WHERE id = 1")
    writer = Writer(connection, "run")
    writer.write([resolved(1), resolved(2)], NO_COUNTERS)
    assert writer.tallied == Counters(scanned=2, resolved=1, raced=1)
    assert (rotation.identities[1], rotation.identities[2]) == (77, 5002)


@pytest.mark.parametrize("code", ["P0001", "23514", "XX000"])
def test_only_a_row_refused_by_trigger_or_constraint_is_left_out(connection, rotation, code):
    refuse(rotation, 13, code=code)
    writer = Writer(connection, "run")
    written = writer.write([resolved(i) for i in range(1, 21)], Counters(lml_total_calls=20))
    assert [o.candidate.rotation_id for o in written if o.bucket == "writer_error"] == [13]
    assert writer.tallied == Counters(scanned=20, resolved=19, writer_error=1, lml_total_calls=20)
    assert sum(identity is not None for identity in rotation.identities.values()) == 19
    assert rotation.quarantined == [(13, "writer_error", 1, False, False)]
    assert rotation.rows("SELECT reason ~ 'not this one', length(payload_digest) FROM wxyc_assets.quarantine") == [
        (True, 64)
    ]


def test_an_error_that_no_row_causes_changes_nothing(connection, rotation):
    """57014 (query_canceled) is such an error."""
    refuse(rotation, 2, code="57014")
    writer = Writer(connection, "run")
    with pytest.raises(psycopg.errors.QueryCanceled):
        writer.write([resolved(1), resolved(2), violated(3)], NO_COUNTERS)
    assert set(rotation.identities.values()) == {None}
    assert (writer.tallied, rotation.tallied("run"), rotation.quarantined) == (NO_COUNTERS, {}, [])


def test_a_row_rests_after_three_violations_in_a_row(connection, rotation):
    """A usable answer ends the series; an LML error says nothing about the row."""
    for place in range(2):
        Writer(connection, f"run {place}").write([violated(1)], NO_COUNTERS)
    Writer(connection, "run 2").write([other(1, "lml_error")], NO_COUNTERS)  # no statement about the row
    assert rotation.quarantined == [(1, "contract_violation", 2, False, False)]
    Writer(connection, "run 3").write([violated(1)], NO_COUNTERS)
    assert rotation.quarantined == [(1, "contract_violation", 3, True, False)]
    Writer(connection, "run 4").write([other(1, "unresolved")], NO_COUNTERS)
    assert rotation.quarantined == [(1, "contract_violation", 3, False, True)]
    Writer(connection, "run 5").write([violated(1)], NO_COUNTERS)
    assert rotation.quarantined == [(1, "contract_violation", 1, False, False)]


def test_a_written_or_raced_row_is_released_from_quarantine(connection, rotation):
    writer = Writer(connection, "run")
    writer.write([violated(1), violated(2), violated(3)], NO_COUNTERS)
    rotation.execute("UPDATE rotation SET lml_identity_id = 7 WHERE id = 2")
    writer.write([resolved(1), resolved(2)], NO_COUNTERS)
    assert [(row[0], row[-1]) for row in rotation.quarantined] == [(1, True), (2, True), (3, False)]


def test_the_writer_waits_for_a_locked_row_and_keeps_its_value(connection, rotation):
    """Another session sets row 2 in an open transaction."""
    with rotation.postgres.connect() as theirs:
        with theirs.transaction():
            theirs.execute("UPDATE rotation SET lml_identity_id = 77 WHERE id = 2")
            writer = Writer(connection, "run")
            ours = threading.Thread(target=writer.write, args=([resolved(1), resolved(2), resolved(3)], NO_COUNTERS))
            ours.start()
            wait_until_blocked(rotation.postgres, theirs)
        ours.join(60)
    assert [rotation.identities[i] for i in (1, 2, 3)] == [5001, 77, 5003]
    assert writer.tallied == Counters(scanned=3, resolved=2, raced=1)


def test_a_deadlock_with_another_writer_is_retried(connection, rotation):
    """The other session holds row 20 and wants row 1, the writer the reverse; the server ends its statement."""
    writer = Writer(connection, "run")
    connection.execute("SET deadlock_timeout TO '100ms'")
    with rotation.postgres.connect() as theirs:
        theirs.execute("SET deadlock_timeout TO '10s'")
        with theirs.transaction():
            theirs.execute("SELECT FROM rotation WHERE id = 20 FOR UPDATE")
            ours = threading.Thread(target=writer.write, args=([resolved(i) for i in range(1, 21)], NO_COUNTERS))
            ours.start()
            wait_until_blocked(rotation.postgres, theirs)
            theirs.execute("SELECT FROM rotation WHERE id = 1 FOR UPDATE")
        ours.join(60)
    assert writer.tallied == Counters(scanned=20, resolved=20)


def test_a_write_notifies_the_listeners_of_the_rotation(connection, rotation):
    with rotation.postgres.connect() as follower:
        follower.execute("LISTEN cdc")
        Writer(connection, "run").write([resolved(1)], NO_COUNTERS)
        (notification,) = list(follower.notifies(timeout=60, stop_after=1))
    assert '"rotation"' in notification.payload


def test_rows_whose_tally_fails_are_not_written(connection, rotation):
    rotation.execute(
        "CREATE FUNCTION wxyc_assets.refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'no tally' USING ERRCODE = '57014'; END $$"
    )
    rotation.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON wxyc_assets.tally FOR EACH ROW EXECUTE FUNCTION wxyc_assets.refuse()"
    )
    writer = Writer(connection, "run")
    with pytest.raises(psycopg.errors.QueryCanceled):
        writer.write([resolved(1), violated(2)], NO_COUNTERS)
    assert (set(rotation.identities.values()), rotation.quarantined, writer.tallied) == ({None}, [], NO_COUNTERS)
