"""One batch is one transaction: rows, quarantine and the tally that counts them; a refused row is left out alone."""

import threading
import time

import psycopg
import pytest

from wxyc_assets.rotation_identity.counters import Counters
from wxyc_assets.rotation_identity.verdicts import Candidate, Outcome
from wxyc_assets.rotation_identity.writer import Writer

NOTHING = Counters()


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
    """Have a trigger of the station's refuse one row."""
    rotation.execute(
        "CREATE FUNCTION wxyc_schema.refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'not this one' USING ERRCODE = '{code}'; END $$"
    )
    rotation.execute(
        "CREATE TRIGGER refuse BEFORE UPDATE ON rotation FOR EACH ROW "
        f"WHEN (NEW.id = {rotation_id}) EXECUTE FUNCTION wxyc_schema.refuse()"
    )


def test_a_batch_writes_its_rows_and_counts_them_with_what_stands_beside(connection, rotation):
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


def test_a_row_that_was_changed_meanwhile_is_raced_and_left_as_it_is(connection, rotation):
    rotation.execute("UPDATE rotation SET lml_identity_id = 77 WHERE id = 1")
    writer = Writer(connection, "run")
    writer.write([resolved(1), resolved(2)], NOTHING)
    assert writer.tallied == Counters(scanned=2, resolved=1, raced=1)
    assert (rotation.identities[1], rotation.identities[2]) == (77, 5002)


@pytest.mark.parametrize("code", ["P0001", "23514", "XX000"])
def test_a_row_that_a_trigger_or_constraint_refuses_is_left_out_alone(connection, rotation, code):
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


def test_a_fault_that_is_no_rows_leaves_everything_as_it_was(connection, rotation):
    refuse(rotation, 2, code="57014")
    writer = Writer(connection, "run")
    with pytest.raises(psycopg.errors.QueryCanceled):
        writer.write([resolved(1), resolved(2), violated(3)], NOTHING)
    assert set(rotation.identities.values()) == {None}
    assert (writer.tallied, rotation.tallied("run"), rotation.quarantined) == (NOTHING, {}, [])


def test_three_violations_in_a_row_let_a_row_rest_and_an_answer_that_can_be_used_starts_anew(connection, rotation):
    for place in range(2):
        Writer(connection, f"run {place}").write([violated(1)], NOTHING)
    Writer(connection, "run 2").write([other(1, "lml_error")], NOTHING)  # says nothing about the row
    assert rotation.quarantined == [(1, "contract_violation", 2, False, False)]
    Writer(connection, "run 3").write([violated(1)], NOTHING)
    assert rotation.quarantined == [(1, "contract_violation", 3, True, False)]
    Writer(connection, "run 4").write([other(1, "unresolved")], NOTHING)
    assert rotation.quarantined == [(1, "contract_violation", 3, False, True)]
    Writer(connection, "run 5").write([violated(1)], NOTHING)
    assert rotation.quarantined == [(1, "contract_violation", 1, False, False)]


def test_one_that_is_written_or_raced_is_released_too(connection, rotation):
    writer = Writer(connection, "run")
    writer.write([violated(1), violated(2), violated(3)], NOTHING)
    rotation.execute("UPDATE rotation SET lml_identity_id = 7 WHERE id = 2")
    writer.write([resolved(1), resolved(2)], NOTHING)
    assert [(row[0], row[-1]) for row in rotation.quarantined] == [(1, True), (2, True), (3, False)]


def test_a_row_that_somebody_is_writing_is_waited_for_and_never_overwritten(connection, rotation):
    with rotation.postgres.connect() as theirs:
        with theirs.transaction():
            theirs.execute("UPDATE rotation SET lml_identity_id = 77 WHERE id = 2")
            writer = Writer(connection, "run")
            ours = threading.Thread(target=writer.write, args=([resolved(1), resolved(2), resolved(3)], NOTHING))
            ours.start()
            time.sleep(0.3)
            assert ours.is_alive()
        ours.join(10)
    assert [rotation.identities[i] for i in (1, 2, 3)] == [5001, 77, 5003]
    assert writer.tallied == Counters(scanned=3, resolved=2, raced=1)


def test_two_who_are_in_each_others_way_both_get_done(connection, rotation):
    """Theirs holds row 20 and then wants row 1; ours has 1 and waits for 20: the server ends one, who tries again."""
    writer = Writer(connection, "run")
    connection.execute("SET deadlock_timeout TO '100ms'")
    with rotation.postgres.connect() as theirs:
        theirs.execute("SET deadlock_timeout TO '10s'")
        with theirs.transaction():
            theirs.execute("SELECT FROM rotation WHERE id = 20 FOR UPDATE")
            ours = threading.Thread(target=writer.write, args=([resolved(i) for i in range(1, 21)], NOTHING))
            ours.start()
            time.sleep(0.05)
            theirs.execute("SELECT FROM rotation WHERE id = 1 FOR UPDATE")
        ours.join(20)
    assert writer.tallied == Counters(scanned=20, resolved=20)


def test_what_is_written_reaches_those_who_follow_the_rotation(connection, rotation):
    with rotation.postgres.connect() as follower:
        follower.execute("LISTEN cdc")
        Writer(connection, "run").write([resolved(1)], NOTHING)
        (told,) = list(follower.notifies(timeout=5, stop_after=1))
    assert '"rotation"' in told.payload


def test_rows_that_cannot_be_counted_are_not_written(connection, rotation):
    rotation.execute(
        "CREATE FUNCTION wxyc_assets.refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'no tally' USING ERRCODE = '57014'; END $$"
    )
    rotation.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON wxyc_assets.tally FOR EACH ROW EXECUTE FUNCTION wxyc_assets.refuse()"
    )
    writer = Writer(connection, "run")
    with pytest.raises(psycopg.errors.QueryCanceled):
        writer.write([resolved(1), violated(2)], NOTHING)
    assert (set(rotation.identities.values()), rotation.quarantined, writer.tallied) == ({None}, [], NOTHING)
