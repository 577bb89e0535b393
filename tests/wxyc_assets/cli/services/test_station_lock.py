"""One ``wxyc up`` a station, whatever homes and hosts the two are on."""

import os
import socket
from pathlib import Path

import psycopg
import pytest

from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.cli.services import station_lock
from wxyc_assets.cli.services.station_lock import StationLock

ONE, TWO = Path("/home/one"), Path("/home/two")


@pytest.fixture(autouse=True)
def without_waits(monkeypatch):
    monkeypatch.setattr(station_lock, "TAKE_WAIT_S", 0.01)
    monkeypatch.setattr(station_lock, "LOOK_EVERY_S", 0)


def end_session_of(station, home):
    with psycopg.connect(station.dsn, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name LIKE %s", [f"%{home}"]
        ).fetchall()
    assert ended == [(True,)]


def test_a_second_up_is_refused_and_the_first_is_named(station):
    with station_lock.held(station, ONE), pytest.raises(CannotError) as refused, station_lock.held(station, TWO):
        pass
    holder = f"wxyc up {os.getpid()} on {socket.gethostname()}, {ONE} (pid "
    assert str(refused.value).startswith(f"`wxyc up` already runs on this station: {holder}")
    with station_lock.held(station, TWO):
        pass


def test_a_lock_that_was_lost_is_taken_again(station):
    """As after a restart of the database: the first look finds out, the next one takes the lock."""
    lock = StationLock(station, ONE)
    lock.take()
    lock.look()
    end_session_of(station, ONE)
    lock.look()
    lock.look()
    with pytest.raises(CannotError), station_lock.held(station, TWO):
        pass
    lock.release()


def test_an_up_that_lost_its_lock_to_another_one_ends(station):
    lock = StationLock(station, ONE)
    lock.take()
    end_session_of(station, ONE)
    with station_lock.held(station, TWO):
        lock.look()
        with pytest.raises(CannotError, match=str(TWO)):
            lock.look()


def test_a_database_that_does_not_answer_is_waited_for(station, server):
    lock = StationLock(station, ONE)
    lock.take()
    server.drop_database(station.dsn)  # with its sessions
    for _ in range(3):
        lock.look()
