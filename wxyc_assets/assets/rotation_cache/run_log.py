"""Logs the problems of each batch during a run, and reports failed calls to Sentry."""

from dataclasses import dataclass

from resources.lml.errors import LmlError
from resources.sentry import Sentry
from resources.step_log import StepLog
from wxyc_assets.assets.rotation_cache.lml_requests import CALLER, Reply, is_malformed


@dataclass(frozen=True)
class BatchLog:
    """Logs what is wrong with a batch, under the steps that the runbook names."""

    log: StepLog
    sentry: Sentry

    def log_reply(self, reply: Reply) -> None:
        """Log everything that is wrong with a reply, or why there is no answer."""
        size = len(reply.classification.outcomes)
        for error, identity_ids in reply.failed:
            self._failed_call(error, len(identity_ids), malformed=is_malformed(error))
        for status in reply.classification.unknown_statuses:
            self.log.warning("unknown_status", status=status)
        untrusted, missing = len(reply.classification.untrusted), reply.call_counters.answer_missing
        if untrusted or missing:
            self.log.warning(
                "answers_untrusted", batch_size=size, results=reply.results, untrusted=untrusted, missing=missing
            )

    def _failed_call(self, error: Exception, size: int, *, malformed: bool) -> None:
        step = "malformed_response" if malformed else "batch_error"
        fields = (
            {}
            if malformed
            else {"error_message": str(error), "retryable": isinstance(error, LmlError) and error.retryable}
        )
        self.log.warning(step, batch_size=size, **fields)
        if (
            not isinstance(error, LmlError) or error.called
        ):  # a request that was refused without a call follows from failures that Sentry already has
            fingerprint = [CALLER, step, type(error).__name__]
            self.sentry.error(error, step=step, extra={"batch_size": size}, fingerprint=fingerprint)
