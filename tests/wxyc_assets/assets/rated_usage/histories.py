"""Random histories of usage, in which events, prices and ratings change; and the changes that an oracle expects."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.wxyc_assets.assets.rated_usage import oracle
from tests.wxyc_assets.assets.rated_usage.harness import HOUR, TEN, RatedUsageRuns, event
from tests.wxyc_assets.assets.rated_usage.oracle import Prices

TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens", "event_count")
RATES = ("applied_prompt_rate", "applied_cached_rate", "applied_completion_rate")
Bill = dict[tuple[str, str, str, datetime], dict[str, Any]]


def random_events(rng: random.Random, count: int, hours: int, first: datetime = TEN) -> list[dict[str, Any]]:
    """Events of four customers, three models and two deployments over some hours."""
    return [
        event(
            rng.choice(["b", "c", "odd, 'quoted' \"model\""]),
            (rng.randrange(500), rng.randrange(200), rng.randrange(300)),
            request_id=f"{rng.getrandbits(64):x}",
            auth_id=rng.choice(["a", "a-2", "", "ü, x"]),
            resource_id=rng.choice(["r", "s"]),
            event_ts=first + timedelta(seconds=rng.randrange(hours * 3600)),
        )
        for _ in range(count)
    ]


def random_prices(rng: random.Random) -> Prices:
    """Prices of the three models, some of them free."""
    models = ["b", "c", "odd, ''quoted'' \"model\""]
    return Prices({model: tuple(_rate(rng) for _ in range(3)) for model in models})  # type: ignore[misc]


def _rate(rng: random.Random) -> str:
    return f"{Decimal(rng.choice([0, 1, 7, 999, 123_456])) / Decimal(10**9):f}"


def histories(billing: RatedUsageRuns, seed: int, steps: int = 6, hours: int = 3) -> Iterator[list[dict[str, Any]]]:
    """Live through a history; yield after each rating the changes that an oracle expects of it, in no order."""
    rng = random.Random(seed)
    bill: Bill = {}
    for step in range(steps):
        billing.add(*random_events(rng, rng.randrange(6), hours))
        if rng.random() < 0.4:
            billing.execute("DELETE FROM billing_event WHERE abs(hashtext(request_id)) %% 3 = %s", [rng.randrange(3)])
        if step == 0 or rng.random() < 0.5:
            billing.prices = random_prices(rng)
        hour = TEN + rng.randrange(hours) * HOUR
        origin = rng.choice(["routine", "explicit"])
        billing.rate(hour, run_id=f"run-{step}", origin=origin)
        yield _expected(billing, bill, hour, {"run_id": f"run-{step}", "origin": origin})


def _expected(billing, bill, hour, cause):
    """Rate the hour by the reference formula, and return how it differs from the bill so far, which it corrects."""
    prices = Prices({name.replace("''", "'"): rates for name, rates in billing.prices.base_models.items()})
    now = oracle.rate(billing.query("SELECT * FROM billing_event"), prices, hour, hour + HOUR).rows
    before = {key: row for key, row in bill.items() if key[3] == hour}
    found = []
    for key in before.keys() | now.keys():
        old, new = before.get(key), now.get(key)
        if old != new:
            found.append({"key": key, "before": old, "after": new, "digest": billing.book.digest, **cause})
    for key in before:
        del bill[key]
    bill.update(now)
    return found


def change_cause(change: dict[str, Any]) -> str:
    """What changed a row that was billed before and is billed now: its tokens, its rates, or both."""
    old, new = change["before"], change["after"]
    rates, tokens = (any(old[name] != new[name] for name in names) for names in (RATES, TOKENS))
    return "both" if rates and tokens else "prices" if rates else "events"
