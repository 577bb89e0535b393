"""What a run says of single rows, in the step log and to Sentry."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from resources.lml.errors import LmlError
from resources.sentry import Sentry
from resources.step_log import StepLog
from wxyc_assets.rotation_identity.asking import CALLER, Answered
from wxyc_assets.rotation_identity.verdicts import Candidate, Outcome
from wxyc_assets.rotation_identity.writer import REJECTED


@dataclass
class RowLog:
    """Names every row that was rejected; what LML failed on is summed by kind: one that is down fails alike on all."""

    log: StepLog
    sentry: Sentry
    _failures: Counter[str] = field(default_factory=Counter)
    _first: dict[str, tuple[Candidate, LmlError]] = field(default_factory=dict)

    def answered(self, answered: Sequence[Answered]) -> None:
        """Remember why LML gave no answer."""
        for one in answered:
            if one.error:
                kind = type(one.error).__name__
                self._failures[kind] += 1
                first = self._first.get(kind)
                if first is None or (one.error.called and not first[1].called):
                    self._first[kind] = (one.outcome.candidate, one.error)

    def written(self, outcomes: Sequence[Outcome]) -> None:
        """Name the rows whose answer cannot be right, and those that the table refused."""
        for outcome in outcomes:
            if outcome.bucket in REJECTED:
                self.log.warning(
                    outcome.bucket,
                    rotation_id=outcome.candidate.rotation_id,
                    discogs_release_id=outcome.candidate.discogs_release_id,
                    error_message=outcome.reason,
                )

    def finish(self) -> None:
        """Say once for each kind of failure how many rows LML failed on, and on which first."""
        for kind, rows in self._failures.items():
            candidate, error = self._first[kind]
            fields = {"rows": rows, "first_rotation_id": candidate.rotation_id}
            self.log.warning("lml_error", **fields, error_message=f"{kind}: {error}")
            if error.called:  # what was refused without a call is told by the failures before it
                self.sentry.error(error, step="lml_error", extra=fields, fingerprint=[CALLER, "lml_error", kind])
