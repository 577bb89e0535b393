"""What a run says of its batches, in the step log and to Sentry, while it goes on."""

from dataclasses import dataclass

from resources.lml.errors import LmlError
from resources.sentry import Sentry
from resources.step_log import StepLog
from wxyc_assets.rotation_cache.asking import CALLER, Answered


@dataclass(frozen=True)
class BatchLog:
    """Says what is not as it should be, in the words of the runbook."""

    log: StepLog
    sentry: Sentry

    def answered(self, answered: Answered) -> None:
        """Say everything that is wrong with an answer, or that there is none."""
        size = len(answered.judgement.outcomes)
        if answered.error:
            self._failed(answered.error, size, malformed=answered.malformed)
            return
        for status in answered.judgement.unknown_statuses:
            self.log.warning("unknown_status", status=status)
        untrusted, missing = len(answered.judgement.untrusted), answered.judgement.missing
        if untrusted or missing:
            self.log.warning(
                "answers_untrusted", batch_size=size, results=answered.results, untrusted=untrusted, missing=missing
            )

    def _failed(self, error: LmlError, size: int, *, malformed: bool) -> None:
        step = "malformed_response" if malformed else "batch_error"
        said = {} if malformed else {"error_message": str(error), "retryable": error.retryable}
        self.log.warning(step, batch_size=size, **said)
        if error.called:  # what was refused without a call is told by the failures before it
            fingerprint = [CALLER, step, type(error).__name__]
            self.sentry.error(error, step=step, extra={"batch_size": size}, fingerprint=fingerprint)
