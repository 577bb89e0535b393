"""Which assets there are, and what is known of each without loading it. Pure.

The command line, the partition status and the documents ask here, so that a new asset is named in one place and in
``definitions.py``. Source: docs/adding-an-asset.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

PartitionKind = Literal["shards", "hours", "today", "none"]
"""``shards``: 16 shards of the library; ``hours``: closed UTC hours; ``today``: the current UTC day only; ``none``: none."""

RunOption = Literal["partitions", "since", "until", "late", "prices", "plan", "recheck", "include_null_canonical"]
"""An option of ``wxyc run`` that not every asset takes; all of them take ``--dry-run``."""

_SWITCHES: tuple[RunOption, ...] = ("recheck", "include_null_canonical")
"""The options that are switches of the asset itself, in Dagster as well."""


@dataclass(frozen=True)
class Freshness:
    """When a partition is late and when it is overdue, counted from its last materialization; of an hour, from its end."""

    warn_after: timedelta
    fail_after: timedelta

    @property
    def windows(self) -> dict[str, timedelta]:
        """The two windows under Dagster's names."""
        return {"warn_window": self.warn_after, "fail_window": self.fail_after}

    @property
    def tolerance(self) -> timedelta:
        """How long a partition may be late before that is an error."""
        return self.fail_after - self.warn_after


@dataclass(frozen=True)
class DemoStep:
    """One asset in ``wxyc demo``.

    Attributes:
        order: place among the assets of the demo, from 1.
        purpose: what the asset is for, printed before its run.
        summary: a ``str.format`` template over the run's ``totals``, printed at the end.
    """

    order: int
    purpose: str
    summary: str


@dataclass(frozen=True)
class AssetInfo:
    """What is known of one asset without loading it.

    Attributes:
        name: the asset's name, which is its package under ``wxyc_assets.assets`` as well.
        partitions: what its partitions are.
        freshness: when a partition is late.
        tool: the name of its log lines and Sentry events, which dashboards know from the predecessor.
        options: the options of ``wxyc run`` that it takes beside ``--dry-run``.
        asks_lml: whether a run needs a configured LML.
        tables: the station's tables and sequences that it uses, each with the privileges that its role needs;
            ``UPDATE (column)`` for one column. Billing tables have a check of their own.
        input_noun: what it processes, of which ``wxyc status`` says since when the oldest waits.
        demo: its part in ``wxyc demo``; None: the demo does not run it.
    """

    name: str
    partitions: PartitionKind
    freshness: Freshness
    tool: str
    options: frozenset[RunOption] = frozenset()
    asks_lml: bool = False
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    input_noun: str = ""
    demo: DemoStep | None = None

    @property
    def job(self) -> str:
        """The job that materializes it."""
        return f"run_{self.name}"

    @property
    def default_config(self) -> dict[str, Any]:
        """The options of the asset in Dagster with their defaults, which the launchpad of its job shows."""
        switches: dict[str, Any] = {option: False for option in _SWITCHES if option in self.options}
        return {**switches, **({"prices": None} if "prices" in self.options else {})}

    @property
    def dry_run_job(self) -> str:
        """The job of its dry run; that of an asset with a plan is called so."""
        return f"{'plan' if 'plan' in self.options else 'dry_run'}_{self.name}"

    @property
    def dry_run_op(self) -> str:
        """The only op of that job."""
        return f"{self.name}_{'plan' if 'plan' in self.options else 'dry_run'}"

    @property
    def room(self) -> str:
        """The package that holds the asset."""
        return f"wxyc_assets.assets.{self.name}"


DAILY = Freshness(timedelta(hours=26), timedelta(hours=50))
"""A day and two hours of tolerance; an error after a second day."""

ASSETS: tuple[AssetInfo, ...] = (
    AssetInfo(
        "library_identity",
        partitions="shards",
        freshness=Freshness(timedelta(days=7), timedelta(days=8)),
        tool="library-identity-consumer",
        options=frozenset({"partitions", "recheck", "include_null_canonical"}),
        asks_lml=True,
        tables={
            "library": ("SELECT", "UPDATE (unresolved_attempted_at)"),
            "library_watermark": ("SELECT", "UPDATE"),
            "library_identity": ("SELECT", "INSERT", "UPDATE"),
            "library_identity_source": ("SELECT", "INSERT", "UPDATE"),
            "library_identity_history": ("SELECT", "INSERT"),
            "library_identity_history_history_id_seq": ("USAGE",),
            "artists": ("SELECT",),
            "compilation_track_artist": (
                "SELECT",
                "UPDATE (track_artist_id)",
                "UPDATE (track_artist_link_confidence)",
                "UPDATE (track_artist_link_method)",
                "UPDATE (track_position)",
            ),
        },
        input_noun="album whose identity is missing or stale",
        demo=DemoStep(
            1,
            "who made each album",
            "asked about {scanned} albums, {rows_resolved} identities written, {rows_unresolved} unknown to LML, "
            "{rows_skipped[compilation]} compilations",
        ),
    ),
    AssetInfo(
        "album_metadata",
        partitions="shards",
        freshness=DAILY,
        tool="album-level-backfill",
        options=frozenset({"partitions"}),
        asks_lml=True,
        tables={
            "library": ("SELECT",),
            "artists": ("SELECT",),
            "flowsheet": ("SELECT",),
            "album_metadata": ("SELECT", "INSERT", "UPDATE"),
        },
        input_noun="play whose album has no metadata and may be looked up",
        demo=DemoStep(
            2,
            "artwork and links of the albums played. A new LML asks Discogs about 20 of them, so the run waits for the "
            "budget of Discogs calls",
            "{scanned} albums with a pending play, {upserts} rows written, {no_match} unknown to LML",
        ),
    ),
    AssetInfo(
        "flowsheet_enrichment",
        partitions="shards",
        freshness=DAILY,
        tool="album-level-backfill",
        options=frozenset({"partitions"}),
        tables={
            "flowsheet": ("SELECT", "UPDATE (metadata_status)", "UPDATE (metadata_attempt_at)"),
            "flowsheet_watermark": ("SELECT", "UPDATE"),
            "album_metadata": ("SELECT",),
        },
        input_noun="play that is not marked although its album has metadata",
        demo=DemoStep(3, "plays whose album has metadata by now", "{flipped} plays now have their album's metadata"),
    ),
    AssetInfo(
        "rotation_identity",
        partitions="none",
        freshness=DAILY,
        tool="rotation-lml-identity-backfill",
        asks_lml=True,
        tables={
            "library_watermark": ("SELECT", "UPDATE"),
            "rotation": ("SELECT", "UPDATE (lml_identity_id)"),
        },
        input_noun="release in rotation without identity",
        demo=DemoStep(
            5,
            "what LML calls the releases in rotation",
            "{resolved} releases in rotation were given their identity",
        ),
    ),
    AssetInfo(
        "rotation_cache",
        partitions="today",
        freshness=DAILY,
        tool="rotation-artist-backfill",
        options=frozenset({"partitions"}),
        asks_lml=True,
        tables={"rotation": ("SELECT",)},
        input_noun="cache of today",
        demo=DemoStep(
            6,
            "LML's cache, warmed for them. The run waits for the budget of Discogs calls",
            "{warmed} of {identities_scanned} identities are warm in LML's cache",
        ),
    ),
    AssetInfo(
        "rated_usage",
        partitions="hours",
        freshness=Freshness(timedelta(hours=2), timedelta(hours=3)),
        tool="rater",
        options=frozenset({"since", "until", "late", "prices", "plan"}),
        input_noun="closed hour that is not rated",
        demo=DemoStep(
            4,
            "what the sample day's usage costs, and every hour since",
            "{events_rated} of {events} events came to {rollups_written} bills and {total_cost} USD; "
            "{unpriced_events} have no price, {unattributable_events} no owner, {ambiguous_base_events} two bases",
        ),
    ),
)
"""Every asset of ours, upstream first."""

BY_NAME: Mapping[str, AssetInfo] = {info.name: info for info in ASSETS}


def tool_of(subject: str) -> str:
    """Return the tool of the asset with this name; of another subject of an alert, such as ``LML``, its name in lower case."""
    return BY_NAME[subject].tool if subject in BY_NAME else subject.lower()


def demo_order() -> list[AssetInfo]:
    """Return the assets that the demo runs, in its order."""
    in_demo = [(info.demo.order, info) for info in ASSETS if info.demo]
    return [info for _, info in sorted(in_demo, key=lambda pair: pair[0])]
