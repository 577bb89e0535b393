"""Logs each batch of a run while it is processed: in the step log and in Sentry."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from resources.lml.errors import LmlError
from resources.sentry import Sentry
from resources.step_log import StepLog
from wxyc_assets.assets.library_identity.counters import Counters
from wxyc_assets.assets.library_identity.lml_requests import Reply
from wxyc_assets.assets.library_identity.track_credits import CreditReview
from wxyc_assets.assets.library_identity.verdicts import Library, Outcome, claimed_id


@dataclass
class BatchLog:
    """Numbers the batches of a run and adds up what they committed, over all lanes."""

    log: StepLog
    sentry: Sentry
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _batches: int = 0
    _committed: Counters = field(default_factory=Counters)

    def next_index(self) -> int:
        """Return the number of the next batch, from 1."""
        with self._lock:
            self._batches += 1
            return self._batches

    def log_reply(self, index: int, reply: Reply) -> None:
        """Log every fault of LML's answer to one page."""
        for error, libraries in reply.failed:
            self._failed_call(index, libraries, error)
        if reply.results != reply.answered:
            self._cardinality_mismatch(index, reply.answered, reply.results)
        self._untrusted_answers(index, reply.classification.untrusted)

    def log_doubtful(self, index: int, libraries: int) -> None:
        """Log how many libraries LML does not know while its breaker to Discogs is open; they count as ``lml_error``."""
        reason = "unresolved, and not believed: LML's breaker to Discogs is open"
        self.log.warning("lml_error", batch_index=index, batch_size=libraries, error_message=reason)

    def log_rejected(self, outcomes: Sequence[Outcome]) -> None:
        """Log the libraries that are quarantined, each under its bucket."""
        for outcome in outcomes:
            if outcome.reason:
                self.log.warning(outcome.bucket, library_id=outcome.library_id, error_message=outcome.reason)

    def log_track_credits(self, index: int, reviewed: CreditReview) -> None:
        """Log what is odd about the track credits of one page."""
        for warning in reviewed.warnings:
            self.log.warning(warning.step, **warning.fields)
        if reviewed.has_gap:
            self.log.warning(
                "compilation_cta_match_gap",
                batch_index=index,
                rows_skipped_no_cta_match=reviewed.counters.compilation_track_rows_skipped_no_cta_match,
                entry_keys=reviewed.named,
            )

    def add_committed(self, counters: Counters) -> None:
        """Add what a batch committed: all of it, or the part before the database failed."""
        with self._lock:
            self._committed += counters

    def log_done(self, index: int, page: Sequence[Library]) -> None:
        """Log the end of a batch, with the totals of the run so far."""
        with self._lock:  # held while the line is written, so that no line shows smaller totals than an earlier one
            self.log.info("batch_done", batch_index=index, last_id=page[-1].library_id, **self._committed.totals())

    def log_shard_failed(self, shard: int, problem: str) -> None:
        """Log why the run stops processing a shard."""
        self.log.error("shard_failed", shard=shard, error_message=problem)

    def _failed_call(self, index: int, size: int, error: Exception) -> None:
        self.log.warning("lml_error", batch_index=index, batch_size=size, error_message=str(error))
        if (
            not isinstance(error, LmlError) or error.called
        ):  # the failures that opened the breaker are in Sentry already
            extra = {"batch_index": index, "batch_size": size}
            self.sentry.error(
                error, step="lml_error", extra=extra, fingerprint=_fingerprint("lml_error", type(error).__name__)
            )

    def _cardinality_mismatch(self, index: int, inputs: int, results: int) -> None:
        fields = {"batch_index": index, "inputs": inputs, "results": results, "missing": max(0, inputs - results)}
        self.log.warning("lml_cardinality_mismatch", **fields)
        self._send_message("lml_cardinality_mismatch", f"LML gave {results} answers to {inputs} inputs", fields)

    def _untrusted_answers(self, index: int, untrusted: Sequence[object]) -> None:
        for answer in untrusted:
            self.log.warning("lml_untrusted_library_id", batch_index=index, library_id=claimed_id(answer))
        if untrusted:
            fields = {"batch_index": index, "answers": len(untrusted), "library_id": claimed_id(untrusted[0])}
            text = f"{len(untrusted)} answers of LML match no library of the request"
            self._send_message("lml_untrusted_library_id", text, fields)

    def _send_message(self, step: str, text: str, extra: Mapping[str, object]) -> None:
        self.sentry.message(text, fingerprint=_fingerprint(step), tags={"step": step}, extra=extra)


def _fingerprint(*parts: str) -> list[str]:
    return ["library_identity", *parts]
