"""The checks of an asset as Dagster is told of them, with what their results speak of."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

import dagster as dg

from wxyc_assets.finding import Scope

SCOPE: Final = "wxyc/scope"
"""Where a check's spec says that, in its metadata."""

_NONE: Final[Mapping[str, Scope]] = MappingProxyType({})


def check_specs(
    asset: str,
    descriptions: Mapping[str, str],
    *,
    blocking: Collection[str] = (),
    scopes: Mapping[str, Scope] = _NONE,
    scope: Scope = "partitions",
) -> list[dg.AssetCheckSpec]:
    """Return a spec for each check that is described.

    Args:
        asset: their asset.
        descriptions: what holds when it passes, by name, in the order in which a person should read them.
        blocking: those whose failure fails what depends on the asset.
        scopes: what the results of some speak of, by name.
        scope: what those of the others do.
    """
    return [
        dg.AssetCheckSpec(
            name,
            asset=asset,
            description=description,
            blocking=name in blocking,
            metadata={SCOPE: scopes.get(name, scope)},
        )
        for name, description in descriptions.items()
    ]
