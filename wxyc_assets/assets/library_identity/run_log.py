"""What a run says of its batches, in the step log and to Sentry, while it goes on."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from resources.lml.errors import LmlError
from resources.sentry import Sentry
from resources.step_log import StepLog
from wxyc_assets.library_identity.asking import Answered
from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.verdicts import Library, Outcome, claimed_id


@dataclass
class BatchLog:
    """Numbers the batches of a run and adds up what they committed, for all lanes together."""

    log: StepLog
    sentry: Sentry
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _batches: int = 0
    _committed: Counters = field(default_factory=Counters)

    def next_index(self) -> int:
        """Return the number of the batch that is being taken, from 1."""
        with self._lock:
            self._batches += 1
            return self._batches

    def answered(self, index: int, page: Sequence[Library], answered: Answered) -> None:
        """Say everything about an answer that is not as it should be."""
        if answered.error:
            self._failed(index, len(page), answered.error)
            return
        if answered.results != len(page):
            self._miscounted(index, len(page), answered.results)
        self._untrusted(index, answered.judgement.untrusted)
        for outcome in answered.judgement.outcomes:
            if outcome.bucket == "contract_violation":
                self.log.warning("contract_violation", library_id=outcome.library_id, error_message=outcome.reason)

    def written(self, outcomes: Sequence[Outcome]) -> None:
        """Name the libraries that could not be written."""
        for outcome in outcomes:
            if outcome.bucket == "writer_error":
                self.log.warning("writer_error", library_id=outcome.library_id, error_message=outcome.reason)

    def committed(self, counters: Counters) -> None:
        """Add what a batch committed, all of it or the part before the database failed."""
        with self._lock:
            self._committed += counters

    def done(self, index: int, page: Sequence[Library]) -> None:
        """Say that a batch is done, with the totals of the run so far."""
        with self._lock:  # held while the line is written, so that no line shows smaller totals than one before it
            self.log.info("batch_done", batch_index=index, last_id=page[-1].library_id, **self._committed.totals())

    def shard_failed(self, shard: int, problem: str) -> None:
        """Say why a shard is not walked any further."""
        self.log.error("shard_failed", shard=shard, error_message=problem)

    def _failed(self, index: int, size: int, error: LmlError) -> None:
        self.log.warning("lml_error", batch_index=index, batch_size=size, error_message=str(error))
        if error.called:  # what the breaker refused is told by the failures that opened it
            extra = {"batch_index": index, "batch_size": size}
            self.sentry.error(
                error, step="lml_error", extra=extra, fingerprint=_fingerprint("lml_error", type(error).__name__)
            )

    def _miscounted(self, index: int, inputs: int, results: int) -> None:
        fields = {"batch_index": index, "inputs": inputs, "results": results, "missing": max(0, inputs - results)}
        self.log.warning("lml_cardinality_mismatch", **fields)
        self._tell("lml_cardinality_mismatch", f"LML gave {results} answers to {inputs} inputs", fields)

    def _untrusted(self, index: int, untrusted: Sequence[object]) -> None:
        for answer in untrusted:
            self.log.warning("lml_untrusted_library_id", batch_index=index, library_id=claimed_id(answer))
        if untrusted:
            fields = {"batch_index": index, "answers": len(untrusted), "library_id": claimed_id(untrusted[0])}
            self._tell("lml_untrusted_library_id", f"{len(untrusted)} answers of LML belong to nobody", fields)

    def _tell(self, step: str, text: str, extra: Mapping[str, object]) -> None:
        self.sentry.message(text, fingerprint=_fingerprint(step), tags={"step": step}, extra=extra)


def _fingerprint(*parts: str) -> list[str]:
    return ["library_identity", *parts]
