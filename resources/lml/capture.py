"""Captures a sample of request bodies to ``io_log``, and warns of those that it loses."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg

from resources.lml.capture_text import CAP_BYTES, is_sampled, truncate
from resources.lml.capture_writer import CaptureWriter, IoLogRow

QUEUE_ROWS = 2048
QUEUE_BYTES = 64 * 1024 * 1024  # 2048 rows of the full cap would hold half a gigabyte while the database is stuck
DRAIN_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class CapturedRequest:
    """One request as it was sent, without its headers and so without the key.

    Attributes:
        request_id: the X-Request-Id that LML saw.
        endpoint: name of the endpoint that was called.
        request_body: the whole body.
        status_code: of the last try; None without an answer.
        latency_ms: of all tries together.
        created_at: when the call ended.
    """

    request_id: str
    endpoint: str
    request_body: bytes = field(repr=False)
    status_code: int | None = None
    latency_ms: int | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Capture:
    """Writes a sample of request bodies to ``io_log``, in the background. Thread-safe, best effort.

    A database that is down or slow and a full queue cost rows, never calls. Lost rows are counted and warned of.

    Args:
        connect: opens a connection whose search path finds ``io_log``; the background thread calls it, again after an error.
        sample_rate: share of calls to capture, 0 (off) to 1; a call is chosen by its request id.
        warn: called as ``warn(step, message, **fields)``, from any thread.
        cap_bytes: a longer body is truncated, with a warning.
        queue_rows: rows that may wait to be written.
        queue_bytes: bytes of bodies that may wait to be written.

    Raises ValueError if ``sample_rate`` is not in 0..1.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection],
        *,
        sample_rate: float,
        warn: Callable[..., None],
        cap_bytes: int = CAP_BYTES,
        queue_rows: int = QUEUE_ROWS,
        queue_bytes: int = QUEUE_BYTES,
    ) -> None:
        if not 0 <= sample_rate <= 1:
            raise ValueError(f"LML_CAPTURE_SAMPLE_RATE must be a share between 0 and 1, not {sample_rate}")
        self._sample_rate = sample_rate
        self._warn = warn
        self._cap_bytes = cap_bytes
        self._writer = CaptureWriter(connect, failed=self._insert_failed, max_rows=queue_rows, max_bytes=queue_bytes)
        self._lock = threading.Lock()
        self._sampled = 0
        self._dropped = 0

    def offer(self, captured: CapturedRequest) -> None:
        """Queue one request for writing, if it is sampled. Never waits for the database."""
        if not is_sampled(captured.request_id, self._sample_rate):
            return
        body = truncate(captured.request_body, self._cap_bytes)
        truncated = len(body) < len(captured.request_body)
        if truncated:
            self._warn_of_truncation(captured)
        row = IoLogRow(
            captured.request_id,
            captured.endpoint,
            body,
            truncated,
            captured.status_code,
            captured.latency_ms,
            captured.created_at,
        )
        self._count(queued=self._writer.put(row))

    def close(self, timeout_s: float = DRAIN_TIMEOUT_S) -> int:
        """Write the queued rows, for at most ``timeout_s``; return the number of lost requests, and warn of them."""
        self._writer.close(timeout_s)
        lost = self._sampled - self._writer.written
        if lost:
            text = f"iolog: {lost} of {self._sampled} sampled requests are not in io_log; check the database"
            self._warn("iolog_lost", text, lost=lost, sampled=self._sampled)
        return lost

    def _count(self, *, queued: bool) -> None:
        with self._lock:
            self._sampled += 1
            self._dropped += not queued
            dropped = self._dropped
        # At powers of two only: a burst that fills a queue of thousands would fill the log as well.
        if not queued and dropped & (dropped - 1) == 0:
            text = f"iolog: the capture queue is full, {dropped} requests dropped so far"
            self._warn("iolog_dropped", text, dropped=dropped)

    def _warn_of_truncation(self, captured: CapturedRequest) -> None:
        size = len(captured.request_body)
        text = (
            f"iolog: request body truncated for capture, request_id={captured.request_id} "
            f"({size} → {self._cap_bytes} bytes)"
        )
        fields = {"request_id": captured.request_id, "original_bytes": size, "cap_bytes": self._cap_bytes}
        self._warn("iolog_truncated", text, **fields)

    def _insert_failed(self, row: IoLogRow, error: Exception) -> None:
        # The server's primary message only: details quote the row, connection errors may quote the DSN.
        reason = (error.diag.message_primary if isinstance(error, psycopg.Error) else None) or type(error).__name__
        text = f"iolog: a captured request could not be written: {reason}"
        self._warn("iolog_insert_failed", text, request_id=row.request_id, error_message=reason)
