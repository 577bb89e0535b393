"""External assets: tables and files that other systems own, observed and never written."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import dagster as dg

Observe = Callable[..., dg.ObserveResult]


def external_asset(
    name: str, *, group: str, owner: str, kind: str, description: str, metadata: Mapping[str, Any] | None = None
) -> Callable[[Observe], dg.AssetsDefinition]:
    """Return a decorator for the function that observes the asset.

    Dagster's decorator for a single observable asset takes no owner; the one for several assets does.
    """
    spec = dg.AssetSpec(
        name, group_name=group, owners=[owner], kinds={kind}, description=description, metadata=metadata
    )
    return cast("Callable[[Observe], dg.AssetsDefinition]", dg.multi_observable_source_asset(specs=[spec]))
