"""The checks of rotation_identity: what each promises, and how a run's numbers decide it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from wxyc_assets.assets.rotation_identity.counters import Counters
from wxyc_assets.runs.counts import unaccounted
from wxyc_assets.runs.findings import QUARANTINED, Check, Finding

REQUIRED_PCT = 99
"""The percentage of resolvable active rows that must have an identity. Source: contract/rotation-cache.md, the gate value."""

CHECKS = (
    Check(
        "accounting_holds",
        "Every row that was read is counted as scanned, and has exactly one outcome.",
        scope="asset",
    ),
    Check(
        "contract_violations_zero",
        "Every identity is plausible; others are quarantined and never written.",
        scope="asset",
    ),
    Check(
        "writer_errors_zero",
        "Every row could be written. If the table refuses a row, the others are still written.",
        scope="asset",
    ),
    Check(
        "coverage_of_resolvable",
        f"Of the active rows that have a Discogs release, at least {REQUIRED_PCT} % have an identity. A release that LML "
        "does not know counts as a row without one.",
        blocking=True,
        scope="asset",
        stored=True,
    ),
)


@dataclass(frozen=True)
class Coverage:
    """How much of the active rotation has an identity, under the names of the predecessor's report.

    ``active_with_discogs`` counts the resolvable rows, ``active_with_lml`` those of them that have an identity.
    ``resolvable_coverage_pct`` is their percentage, rounded to two places, None if no row is resolvable. ``missing``: the ids
    of the first rows without an identity.
    """

    active: int
    active_with_discogs: int
    active_with_lml: int
    resolvable_coverage_pct: float | None
    missing: Sequence[int] = ()

    @property
    def enough(self) -> bool:
        """Whether enough of the rotation is covered, decided on the counts: the rounded percentage shows 98.996 as 99.0."""
        return 100 * self.active_with_lml >= REQUIRED_PCT * self.active_with_discogs

    def report(self) -> dict[str, int | float | None]:
        """Return the coverage in the form of the predecessor's report."""
        return {
            "active": self.active,
            "active_with_discogs": self.active_with_discogs,
            "active_with_lml": self.active_with_lml,
            "resolvable_coverage_pct": self.resolvable_coverage_pct,
        }

    def numbers(self) -> dict[str, int | float]:
        """Return the report without a percentage that is None: plots and sums need numbers."""
        return {name: value for name, value in self.report().items() if value is not None}


def accounting(counters: Counters, *, inputs_read: int) -> Finding:
    """Check that every row that was read has exactly one outcome, in a dry run too."""
    disagreement = unaccounted(inputs_read=inputs_read, scanned=counters.scanned, in_buckets=counters.accounted)
    return Finding(
        "accounting_holds",
        passed=not disagreement,
        numbers={"inputs_read": inputs_read, "scanned": counters.scanned, "accounted": counters.accounted},
        description=disagreement,
    )


def of_answers(counters: Counters) -> list[Finding]:
    """Return the findings on LML's answers and on the table they are written to."""
    return [
        _none_of("contract_violations_zero", "contract_violation", counters),
        _none_of("writer_errors_zero", "writer_error", counters),
    ]


def of_coverage(coverage: Coverage) -> Finding:
    """Check that enough of the rotation is covered for rotation_cache to follow."""
    description = ""
    if not coverage.enough:
        first = ", ".join(map(str, coverage.missing))
        description = (
            f"{coverage.active_with_lml} of {coverage.active_with_discogs} resolvable active rows have an identity, "
            f"{REQUIRED_PCT} % are required; the first rotation ids without: {first}"
        )
    return Finding("coverage_of_resolvable", passed=coverage.enough, numbers=coverage.report(), description=description)


def _none_of(name: str, counter: str, counters: Counters) -> Finding:
    count = getattr(counters, counter)
    return Finding(
        name,
        passed=count == 0,
        numbers={counter: count, "scanned": counters.scanned},
        description=f"{count} rows; {QUARANTINED}" if count else "",
    )
