"""Logs rejected rows and failed LML calls of a run, and reports the failures to Sentry."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from resources.lml.errors import LmlError
from resources.sentry import Sentry
from resources.step_log import StepLog
from wxyc_assets.assets.rotation_identity.lml_requests import CALLER, Reply
from wxyc_assets.assets.rotation_identity.verdicts import Candidate, Outcome
from wxyc_assets.assets.rotation_identity.writer import REJECTED


@dataclass
class RowLog:
    """Logs each rejected row, but LML failures only as one line per kind: an LML that is down fails on every row alike."""

    log: StepLog
    sentry: Sentry
    _failures: Counter[str] = field(default_factory=Counter)
    _first: dict[str, tuple[Candidate, LmlError]] = field(default_factory=dict)

    def add_failures(self, replies: Sequence[Reply]) -> None:
        """Count the replies that are errors, by kind."""
        for reply in replies:
            if reply.error:
                kind = type(reply.error).__name__
                self._failures[kind] += 1
                first = self._first.get(kind)
                if first is None or (reply.error.called and not first[1].called):
                    self._first[kind] = (reply.outcome.candidate, reply.error)

    def log_rejected(self, outcomes: Sequence[Outcome]) -> None:
        """Log each row whose answer cannot be right, and each row that the table refused."""
        for outcome in outcomes:
            if outcome.bucket in REJECTED:
                self.log.warning(
                    outcome.bucket,
                    rotation_id=outcome.candidate.rotation_id,
                    discogs_release_id=outcome.candidate.discogs_release_id,
                    error_message=outcome.reason,
                )

    def log_failures(self) -> None:
        """Log for each kind of failure the number of rows and the first row."""
        for kind, rows in self._failures.items():
            candidate, error = self._first[kind]
            fields = {"rows": rows, "first_rotation_id": candidate.rotation_id}
            self.log.warning("lml_error", **fields, error_message=f"{kind}: {error}")
            if error.called:  # a request that was refused without a call follows from failures that Sentry already has
                self.sentry.error(error, step="lml_error", extra=fields, fingerprint=[CALLER, "lml_error", kind])
