from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wxyc_assets.partitions import SHARD_COUNT, range_tags, shard_numbers, shard_ranges
from wxyc_assets.partitions_dagster import SHARDS


def test_there_are_sixteen_shards_by_number():
    assert SHARDS.get_partition_keys() == [str(shard) for shard in range(16)]
    assert SHARD_COUNT == 16


def test_neighbours_are_one_range():
    assert shard_ranges([3, 1, 2, 7, 9, 10]) == [("1", "3"), ("7", "7"), ("9", "10")]
    assert shard_ranges([]) == []
    assert shard_ranges(range(16)) == [("0", "15")]


@given(st.lists(st.integers(0, 15)))
def test_ranges_cover_exactly_the_shards_and_never_touch(shards):
    ranges = [(int(first), int(last)) for first, last in shard_ranges(shards)]
    covered = [shard for first, last in ranges for shard in range(first, last + 1)]
    assert covered == sorted(set(shards))
    assert all(before[1] + 1 < after[0] for before, after in pairwise(ranges))


def test_a_range_is_asked_for_with_dagsters_tags():
    assert range_tags("2", "5") == {
        "dagster/asset_partition_range_start": "2",
        "dagster/asset_partition_range_end": "5",
    }


def test_keys_read_back_as_numbers():
    assert shard_numbers(["0", "15"]) == [0, 15]
