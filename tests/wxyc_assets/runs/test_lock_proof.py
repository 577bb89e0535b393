"""A run proves that it holds its locks: it notices the end of their session, and a session that holds less than it took."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.frozen_relay import FrozenRelay
from wxyc_assets.runs import lock_proof
from wxyc_assets.runs.advisory_locks import held_units, run_locks, run_unit
from wxyc_assets.runs.lock_proof import LockProof, LocksLostError

UNITS = ["asset/1", "asset/2"]


@pytest.fixture
def locks(station):
    with run_locks(station, "ours") as locks:
        locks.take(UNITS)
        yield locks


def _terminate(station, locks):
    with station.connect() as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 10000)", [locks.connection.info.backend_pid])


def test_locks_that_are_held_are_proven(locks, monkeypatch):
    monkeypatch.setattr(lock_proof, "PROOF_VALID_S", 0)
    prove = LockProof(locks)
    for _ in range(3):
        prove()


def test_an_ended_session_is_noticed_at_once_and_for_ever(station, locks, monkeypatch):
    """Also right after a proof, while that is still valid: the server says so before it releases the locks."""
    monkeypatch.setattr(lock_proof, "PROOF_VALID_S", 600)
    prove = LockProof(locks)
    prove()
    _terminate(station, locks)
    for _ in range(2):
        with pytest.raises(LocksLostError, match=r"was lost: .*terminating connection due to administrator command"):
            prove()


def test_the_locks_of_another_session_prove_nothing(station, locks, monkeypatch):
    monkeypatch.setattr(lock_proof, "PROOF_VALID_S", 0)
    prove = LockProof(locks)
    locks.connection.execute("SELECT pg_advisory_unlock_all()")
    with run_locks(station, "theirs") as theirs:
        assert theirs.take(UNITS) == []
        with pytest.raises(LocksLostError, match="holds 0 of the 3 locks that it took"):
            prove()


def test_a_unit_that_was_released_is_not_missed(locks, monkeypatch):
    monkeypatch.setattr(lock_proof, "PROOF_VALID_S", 0)
    locks.release(UNITS[0])
    LockProof(locks)()


def test_a_session_that_does_not_answer_ends_the_wait(station, monkeypatch):
    """The server still holds the locks, and nothing says that the network is cut."""
    monkeypatch.setattr(lock_proof, "PROOF_VALID_S", 0)
    monkeypatch.setattr(lock_proof, "ANSWER_TIMEOUT_S", 0.2)
    with FrozenRelay(station) as relay, run_locks(relay.postgres, "ours") as locks:
        prove = LockProof(locks)
        prove()
        relay.freeze()
        with pytest.raises(LocksLostError, match=r"did not answer within 0\.2 s"):
            prove()
        with station.connect() as connection:
            assert held_units(connection, [run_unit("ours")]) == {run_unit("ours")}


def test_many_calls_cost_one_round_trip_while_a_proof_is_valid(locks, monkeypatch):
    monkeypatch.setattr(lock_proof, "PROOF_VALID_S", 600)
    asked, count = [], lock_proof._count

    def counted(*args):
        asked.append(1)
        return count(*args)

    monkeypatch.setattr(lock_proof, "_count", counted)
    prove = LockProof(locks)
    for _ in range(1000):
        prove()
    assert asked == []
    monkeypatch.setattr(lock_proof, "PROOF_VALID_S", 0)
    prove()
    assert asked == [1]


def test_several_threads_prove_and_learn_of_the_loss_together(station, locks, monkeypatch):
    monkeypatch.setattr(lock_proof, "PROOF_VALID_S", 0)
    prove = LockProof(locks)
    proven = threading.Barrier(5)

    def lane():
        for _ in range(50):
            prove()
        proven.wait(60)
        while True:
            try:
                prove()
            except psycopg.OperationalError as error:
                return str(error)
            time.sleep(0.001)

    with ThreadPoolExecutor(4) as pool:
        lanes = [pool.submit(lane) for _ in range(4)]
        proven.wait(60)
        _terminate(station, locks)
        said = {one.result(timeout=60) for one in lanes}
    assert len(said) == 1
