"""A credit has every counter as a number, and a table of what happened and of nothing else."""

import dagster as dg

from wxyc_assets.credit import OutcomeTable, credit

TABLE = OutcomeTable("records", {"kept": "on the shelf", "lost": "nobody knows where", "sold": "gone"}, "none came")


def test_the_table_has_what_happened_in_its_own_order():
    assert TABLE.markdown({"scanned": 5, "sold": 2, "lost": 0, "kept": 3}).splitlines() == [
        "| records | outcome |",
        "|---:|---|",
        "| 3 | on the shelf |",
        "| 2 | gone |",
    ]


def test_a_partition_without_any_input_says_so():
    nothing = {"kept": 0, "lost": 0, "sold": 0}
    assert TABLE.markdown(nothing).splitlines()[2:] == ["| 0 | none came |"]


def test_a_partition_is_credited_by_its_key_with_every_counter():
    counts = {"scanned": 3, "kept": 3, "lost": 0, "sold": 0}
    event = credit("records", 11, counts, TABLE)
    assert (event.asset_key, event.partition) == (dg.AssetKey("records"), "11")
    metadata = {name: value.value for name, value in event.metadata.items()}
    assert metadata.pop("outcome") == TABLE.markdown(counts)
    assert metadata == counts
