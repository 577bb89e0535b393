"""What must hold after a run of rotation_identity, decided on its numbers. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from wxyc_assets.accounting import unaccounted
from wxyc_assets.finding import Finding
from wxyc_assets.rotation_identity.counters import Counters

REQUIRED_PCT = 99
"""Of the resolvable active rows so many per cent must have an identity. Source: contract/rotation-cache.md, the gate value."""


@dataclass(frozen=True)
class Coverage:
    """How much of the active rotation has an identity, under the names of the predecessor's report.

    ``active_with_discogs`` are the resolvable rows, ``active_with_lml`` those of them that have an identity, and
    ``resolvable_coverage_pct`` is their share, rounded to two places, None when nothing is resolvable. ``missing`` are the ids
    of the first rows that have none.
    """

    active: int
    active_with_discogs: int
    active_with_lml: int
    resolvable_coverage_pct: float | None
    missing: Sequence[int] = ()

    @property
    def enough(self) -> bool:
        """Whether the rotation is covered. By the counts: 98.996 per cent reads 99.0 once it is rounded."""
        return 100 * self.active_with_lml >= REQUIRED_PCT * self.active_with_discogs

    def report(self) -> dict[str, int | float | None]:
        """Return the predecessor's report."""
        return {
            "active": self.active,
            "active_with_discogs": self.active_with_discogs,
            "active_with_lml": self.active_with_lml,
            "resolvable_coverage_pct": self.resolvable_coverage_pct,
        }

    def numbers(self) -> dict[str, int | float]:
        """Return the report without a per cent of nothing: what is plotted and added up has no room for it."""
        return {name: value for name, value in self.report().items() if value is not None}


def accounting(counters: Counters, *, inputs_read: int) -> Finding:
    """Prove that every row that was read has one outcome; a dry run proves it too."""
    disagreement = unaccounted(inputs_read=inputs_read, scanned=counters.scanned, in_buckets=counters.accounted)
    return Finding(
        "accounting_holds",
        passed=not disagreement,
        numbers={"inputs_read": inputs_read, "scanned": counters.scanned, "accounted": counters.accounted},
        description=disagreement,
    )


def of_answers(counters: Counters) -> list[Finding]:
    """Return what a run can say of LML's answers, and of the table that they were written to."""
    return [
        _none_of("contract_violations_zero", "contract_violation", counters),
        _none_of("writer_errors_zero", "writer_error", counters),
    ]


def of_coverage(coverage: Coverage) -> Finding:
    """Decide whether the rotation is covered well enough for its cache to be warmed."""
    said = ""
    if not coverage.enough:
        first = ", ".join(map(str, coverage.missing))
        said = (
            f"{coverage.active_with_lml} of {coverage.active_with_discogs} resolvable active rows have an identity, "
            f"{REQUIRED_PCT} % must; the first rotation ids without: {first}"
        )
    return Finding("coverage_of_resolvable", passed=coverage.enough, numbers=coverage.report(), description=said)


def _none_of(name: str, counter: str, counters: Counters) -> Finding:
    count = getattr(counters, counter)
    return Finding(
        name,
        passed=count == 0,
        numbers={counter: count, "scanned": counters.scanned},
        description=f"{count} rows; reasons and digests are in wxyc_assets.quarantine" if count else "",
    )
