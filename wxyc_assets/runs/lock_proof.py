"""Proves that a run still holds its locks: the session that took them is alive and counts all of them as its own."""

import select
import threading
import time

import psycopg
from psycopg import pq

from resources import sql_files
from wxyc_assets.runs.advisory_locks import Locks

PROOF_VALID_S = 1.0
"""How long an answer of the session proves its locks. An end of the session that reaches this host is noticed at once."""

ANSWER_TIMEOUT_S = 15.0
"""How long the session may take to answer: a network that drops packets, or a frozen server, must not hang the run."""


class LocksLostError(psycopg.OperationalError):
    """The run does not hold its locks any more, so another run may be processing the same units. It writes nothing more."""


class LockProof:
    """The proof for one run, as a callable that raises LocksLostError; several threads may call it at once.

    A call costs one round trip a second at most, else one look at the socket. Once the locks are lost, every call raises.
    """

    def __init__(self, locks: Locks) -> None:
        self._connection = locks.connection
        self._held = len(locks.held)
        self._mutex = threading.Lock()
        self._proven_s = time.monotonic()
        self._lost = ""

    def __call__(self) -> None:
        """Return if the session holds all the locks; raise LocksLostError if not, or if it does not answer in time."""
        with self._mutex:
            if not self._lost and self._must_ask():
                self._ask()
            if self._lost:
                raise LocksLostError(
                    f"{self._lost}. Another run may be processing the same partitions, so this run wrote nothing more; "
                    "start it again"
                )

    def _must_ask(self) -> bool:
        if time.monotonic() - self._proven_s >= PROOF_VALID_S:
            return True
        try:
            return bool(_readable(self._connection.pgconn, 0))  # the server sends nothing unasked but its farewell
        except psycopg.Error:
            return True

    def _ask(self) -> None:
        asked_s = time.monotonic()
        try:
            held = _count(self._connection.pgconn, asked_s + ANSWER_TIMEOUT_S)
        except (psycopg.Error, OSError) as error:
            cause = " ".join(str(error).split()) or type(error).__name__
            self._lost = f"the session that holds this run's locks was lost: {cause}"
            return
        if held < self._held:
            self._lost = f"this run's session holds {held} of the {self._held} locks that it took"
        self._proven_s = asked_s


def _count(pgconn: pq.abc.PGconn, deadline_s: float) -> int:
    """Return how many locks the session holds; not with psycopg's own execute, which waits for ever."""
    pgconn.send_query(sql_files.load("wxyc_assets.runs", "count_own_locks"))
    pgconn.flush()
    held = None
    while True:
        while pgconn.is_busy():
            if not _readable(pgconn, deadline_s - time.monotonic()):
                raise psycopg.OperationalError(f"it did not answer within {ANSWER_TIMEOUT_S:g} s")
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            break
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise psycopg.OperationalError(result.get_error_message())
        held = result.get_value(0, 0)
    if held is None:
        raise psycopg.OperationalError("it answered nothing")
    return int(held)


def _readable(pgconn: pq.abc.PGconn, timeout_s: float) -> bool:
    poll = select.poll()  # select.select refuses the file handles of a process that has many
    poll.register(pgconn.socket, select.POLLIN)
    return bool(poll.poll(max(0.0, timeout_s) * 1000))
