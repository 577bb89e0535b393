"""How old what each asset keeps may become: for the policies in the UI, for the alerts and for ``wxyc status``. Pure."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Freshness:
    """When something is late, and when it is overdue, counted from when it was last done; or, of an hour, from its end."""

    warn_after: timedelta
    fail_after: timedelta

    @property
    def windows(self) -> dict[str, timedelta]:
        """The two, as Dagster calls them."""
        return {"warn_window": self.warn_after, "fail_window": self.fail_after}

    @property
    def patience(self) -> timedelta:
        """How long it may be late before that is an error."""
        return self.fail_after - self.warn_after


_DAILY = Freshness(timedelta(hours=26), timedelta(hours=50))
"""A day and some patience, and twice that."""

FRESHNESS = {
    "library_identity": Freshness(timedelta(days=7), timedelta(days=8)),
    "album_metadata": _DAILY,
    "flowsheet_enrichment": _DAILY,
    "rotation_identity": _DAILY,
    "rotation_cache": _DAILY,
    "rated_usage": Freshness(timedelta(hours=2), timedelta(hours=3)),
}
"""Every asset of ours, in the order in which they make sense."""
