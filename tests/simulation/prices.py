"""The price files of a simulation, by name: as the reference formula has them, and as bytes."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from tests.wxyc_assets.assets.rated_usage.oracle import Prices

BASES = {"b": ("0.000005", "0.0000005", "0.00002"), "c": ("0.00000125", "0", "0.0000100005")}
FINE_TUNES: Mapping[str, Mapping[str, Any]] = {
    "ft:own": {"rate": ("0.0000077", "0.000001", "0.00003")},
    "ft:derived": {"derived_from": "b"},
}

BOOKS = {
    "first": Prices(BASES, policy="multiplier", amount="1.5", fine_tunes=FINE_TUNES),
    "raised": Prices({**BASES, "b": ("0.000006", "0.0000005", "0.000025")}, "multiplier", "1.5", FINE_TUNES),
    "markup": Prices(BASES, policy="markup", amount="0.0000000015", fine_tunes=FINE_TUNES),
    "more models": Prices({**BASES, "late": ("0", "0", "0.000001")}, "multiplier", "1.25", FINE_TUNES),
}
"""The price files without an ``effective_from``."""

MISSING, BROKEN = "missing", "broken"


def content(name: str, effective_from: datetime | None = None) -> bytes | None:
    """The bytes of a price file; None: there is no file. ``effective later``: the prices ``raised`` from an hour on."""
    if name == MISSING:
        return None
    if name == BROKEN:
        return b"version: 1\nbase_models: {b: {prompt: 0.1}}\n"
    if name == "effective later":
        assert effective_from is not None
        first_line, _, others = BOOKS["raised"].yaml().partition("\n")
        return f"{first_line}\neffective_from: {effective_from:%Y-%m-%dT%H:00:00Z}\n{others}".encode()
    return BOOKS[name].yaml().encode()


@cache
def digest(text: bytes) -> str:
    """The digest under which the program stores a price file."""
    return hashlib.sha256(text).hexdigest()
