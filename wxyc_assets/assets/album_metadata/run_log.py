"""What a run says of its batches, in the step log and to Sentry, while it goes on."""

from collections.abc import Sequence
from dataclasses import dataclass

from resources.lml.errors import LmlError
from resources.sentry import Sentry
from resources.step_log import StepLog
from wxyc_assets.album_metadata.asking import CALLER, Answered
from wxyc_assets.album_metadata.counters import Counters
from wxyc_assets.album_metadata.verdicts import Album, Judgement, Outcome


@dataclass(frozen=True)
class BatchLog:
    """Says what became of each batch, in the words of the runbook; ``batches`` is how many the run has."""

    log: StepLog
    sentry: Sentry
    batches: int

    def answered(self, albums: Sequence[Album], answered: Answered) -> None:
        """Say everything about an answer that is not as it should be."""
        if answered.error:
            self._failed(albums, answered.error, held_back=answered.held_back)
            return
        self._mismatched(albums, answered.judgement)
        if answered.judgement.surplus:
            self.log.warning(
                "surplus_answers", items=len(albums), results=answered.results, surplus=len(answered.judgement.surplus)
            )
        for outcome in answered.judgement.outcomes:
            if outcome.bucket == "error":
                self.log.warning("lml_error", album_id=outcome.album_id, error_message=outcome.reason)

    def written(self, outcomes: Sequence[Outcome]) -> None:
        """Name the albums whose row the table refused."""
        for outcome in outcomes:
            if outcome.kind == "writer_error":
                self.log.warning("writer_error", album_id=outcome.album_id, error_message=outcome.reason)

    def done(self, batch_index: int, albums: int, counted: Counters, wall_clock_ms: float) -> None:
        """Say that a batch is done, with its own counts.

        ``albums`` were asked about. ``wall_clock_ms`` is the time for reading, calling and writing, without what the batch
        waited for its place in the station's budget: the runbook's watchdog is about a slow LML.
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

    def shard_failed(self, shard: int, problem: str) -> None:
        """Say why a shard is not walked any further."""
        self.log.error("shard_failed", shard=shard, error_message=problem)

    def _failed(self, albums: Sequence[Album], error: LmlError, *, held_back: bool) -> None:
        step = "lml_batch_deferred" if held_back else "lml_batch_failed"
        fields = {"size": len(albums), "first_album_id": albums[0].album_id, "last_album_id": albums[-1].album_id}
        self.log.warning(step, **fields, error_message=f"{type(error).__name__}: {error}")
        if error.called and not held_back:  # what was refused without a call is told by the failures before it
            self.sentry.error(error, step=step, extra=fields, fingerprint=[CALLER, step, type(error).__name__])

    def _mismatched(self, albums: Sequence[Album], judgement: Judgement) -> None:
        """One line a row, but one breadcrumb and one message a batch, however many rows there are."""
        mismatches = judgement.mismatches
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
