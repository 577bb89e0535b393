"""The credit of one partition, as a person sees it: numbers to plot over the partitions, and one small table."""

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg


@dataclass(frozen=True)
class OutcomeTable:
    """A table of what became of the inputs of a partition.

    ``inputs`` is what they are called, ``meanings`` what a person is told of each counter, in order; those that are 0 are left
    out. ``nothing`` stands in the place of all of them.
    """

    inputs: str
    meanings: Mapping[str, str]
    nothing: str

    def markdown(self, counts: Mapping[str, int]) -> str:
        """Return the table of these counters."""
        rows = [f"| {counts[name]} | {meaning} |" for name, meaning in self.meanings.items() if counts[name]]
        return "\n".join([f"| {self.inputs} | outcome |", "|---:|---|", *(rows or [f"| 0 | {self.nothing} |"])])


def credit(asset: str, partition: int | str, counts: Mapping[str, int], table: OutcomeTable) -> dg.AssetMaterialization:
    """Return the event that credits a partition, with its counts."""
    return dg.AssetMaterialization(
        asset,
        partition=str(partition),
        metadata={"outcome": dg.MetadataValue.md(table.markdown(counts)), **counts},
    )
