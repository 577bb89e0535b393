"""Logs each batch of a run while it is processed: in the step log and in Sentry."""

from collections.abc import Sequence
from dataclasses import dataclass

from resources.lml.errors import LmlError
from resources.sentry import Sentry
from resources.step_log import StepLog
from wxyc_assets.assets.album_metadata.counters import Counters
from wxyc_assets.assets.album_metadata.lml_requests import CALLER, DEFERRING_ERRORS, Reply
from wxyc_assets.assets.album_metadata.verdicts import Album, Classification, Outcome


@dataclass(frozen=True)
class BatchLog:
    """Logs the outcome of each batch under the runbook's steps; ``batches`` is how many batches the run has."""

    log: StepLog
    sentry: Sentry
    batches: int

    def log_reply(self, albums: Sequence[Album], reply: Reply) -> None:
        """Log every fault of LML's answer to one batch."""
        for error, unanswered in reply.failed:
            self._failed_call(unanswered, error, deferred=isinstance(error, DEFERRING_ERRORS))
        self._mismatches(albums, reply.classification)
        if reply.classification.surplus:
            self.log.warning(
                "surplus_answers", items=len(albums), results=reply.results, surplus=len(reply.classification.surplus)
            )

    def log_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Log the albums whose answer cannot be used; those of a failed call are logged with it."""
        for outcome in outcomes:
            if outcome.bucket == "error" and outcome.unanswered != "batch_error":
                self.log.warning("lml_error", album_id=outcome.album_id, error_message=outcome.reason)
            elif outcome.bucket == "match_untrusted":
                self.log.info("match_untrusted", album_id=outcome.album_id, reason=outcome.reason)

    def log_writer_errors(self, outcomes: Sequence[Outcome]) -> None:
        """Log the albums whose row the table refused."""
        for outcome in outcomes:
            if outcome.kind == "writer_error":
                self.log.warning("writer_error", album_id=outcome.album_id, error_message=outcome.reason)

    def log_done(self, batch_index: int, albums: int, counted: Counters, wall_clock_ms: float) -> None:
        """Log the end of a batch, with its own counts.

        ``albums`` is how many the batch asked about. ``wall_clock_ms`` is the time for reading, calling and writing. It does
        not include the wait for the station's budget, because the runbook's watchdog looks for a slow LML.
        """
        self.log.info(
            "batch_done",
            batch_index=batch_index,
            batches=self.batches,
            scanned=albums,
            match=counted.match,
            no_match=counted.no_match,
            lml_error=counted.error,
            upserts=counted.upserts,
            unexpected_index=counted.unexpected_index,
            wall_clock_ms=round(wall_clock_ms),
        )

    def log_shard_failed(self, shard: int, problem: str) -> None:
        """Log why the run stops processing a shard."""
        self.log.error("shard_failed", shard=shard, error_message=problem)

    def _failed_call(self, albums: Sequence[Album], error: Exception, *, deferred: bool) -> None:
        step = "lml_batch_deferred" if deferred else "lml_batch_failed"
        fields = {"size": len(albums), "first_album_id": albums[0].album_id, "last_album_id": albums[-1].album_id}
        self.log.warning(step, **fields, error_message=f"{type(error).__name__}: {error}")
        if not deferred and (
            not isinstance(error, LmlError) or error.called
        ):  # the failures that opened the breaker are in Sentry already
            self.sentry.error(error, step=step, extra=fields, fingerprint=[CALLER, step, type(error).__name__])

    def _mismatches(self, albums: Sequence[Album], classification: Classification) -> None:
        """Log one line for each mismatch; send one breadcrumb and one message for the batch, however many there are."""
        mismatches = classification.mismatches
        for position, outcome in mismatches:
            self.log.warning(
                "unexpected_result_index",
                expected_index=position,
                got_index=outcome.got_index,
                album_id=outcome.album_id,
            )
        if not mismatches:
            return
        position, first = mismatches[0]
        self.sentry.breadcrumb(
            category=CALLER,
            message="unexpected_result_index",
            data={
                "mismatch_count": len(mismatches),
                "first_mismatch_index": position,
                "first_mismatch_got": first.got_index,
                "first_mismatch_album_id": first.album_id,
            },
        )
        self.sentry.message(
            f"{CALLER}.unexpected_index",
            fingerprint=[CALLER, "unexpected_index"],
            tags={"source": CALLER},
            extra={
                "unexpected_index": len(mismatches),
                "scanned": len(albums),
                "batch_first_id": albums[0].album_id,
            },
        )
