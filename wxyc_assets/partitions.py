"""The shards that assets share, and how partition keys become ranges. Pure."""

from collections.abc import Iterable, Sequence

SHARD_COUNT = 16
"""A library belongs to shard ``library.id % 16``."""

SHARD_KEYS = [str(shard) for shard in range(SHARD_COUNT)]


def shard_ranges(shards: Iterable[int]) -> list[tuple[str, str]]:
    """Group shards into ranges of partition keys, both ends included: one run can take a range, not a set."""
    ranges: list[tuple[int, int]] = []
    for shard in sorted(set(shards)):
        if ranges and ranges[-1][1] == shard - 1:
            ranges[-1] = (ranges[-1][0], shard)
        else:
            ranges.append((shard, shard))
    return [(str(first), str(last)) for first, last in ranges]


def range_tags(first: str, last: str) -> dict[str, str]:
    """Return the tags that make a run materialize the partitions from ``first`` to ``last``, both included."""
    return {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}


def shard_numbers(keys: Sequence[str]) -> list[int]:
    """Read partition keys back as shard numbers."""
    return [int(key) for key in keys]
