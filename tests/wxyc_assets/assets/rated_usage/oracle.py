"""The reference formula: rates events one by one in Decimals, as the contract says, without any code of the package."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

NANO = Decimal("0.000000001")
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Prices:
    """A price file in the form of the contract: rates are triples of prompt, cached and completion, as text."""

    base_models: Mapping[str, tuple[str, str, str]]
    policy: str = "identity"
    amount: str = ""
    fine_tunes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def yaml(self) -> str:
        """The content of the file."""

        def rates(triple):
            return "{{prompt: '{}', cached: '{}', completion: '{}'}}".format(*triple)

        lines = ["version: 1", "base_models:"]
        lines += [f"  '{model}': {rates(triple)}" for model, triple in self.base_models.items()]
        if self.policy != "identity":
            name = {"multiplier": "factor", "markup": "markup"}[self.policy]
            lines += ["fine_tune_premium:", f"  policy: {self.policy}", f"  {name}: '{self.amount}'"]
        if self.fine_tunes:
            lines.append("fine_tunes:")
        for model, entry in self.fine_tunes.items():
            lines.append(f"  '{model}':")
            if "derived_from" in entry:
                lines.append(f"    derived_from: '{entry['derived_from']}'")
            if "rate" in entry:
                lines.append(f"    rate: {rates(entry['rate'])}")
        return "\n".join(lines) + "\n"

    def rate(self, model: str, base_model: str | None) -> tuple[tuple[Decimal, ...] | None, str | None]:
        """The rates of an event, and the base if they are derived from the one that the event names."""
        entry = self.fine_tunes.get(model, {})
        if model in self.base_models:
            return _quantised(self.base_models[model]), None
        if "rate" in entry:
            return _quantised(entry["rate"]), None
        if "derived_from" in entry:
            return self._premium(entry["derived_from"]), None
        if model.startswith("ft:") and base_model is not None and base_model in self._true_bases():
            return self._premium(base_model), base_model
        return None, None

    def _true_bases(self) -> dict[str, tuple[str, str, str]]:
        own = {
            model: entry["rate"]
            for model, entry in self.fine_tunes.items()
            if "rate" in entry and "derived_from" not in entry and not model.startswith("ft:")
        }
        return {**self.base_models, **own}

    def _premium(self, base: str) -> tuple[Decimal, ...]:
        own = {model: entry["rate"] for model, entry in self.fine_tunes.items() if "rate" in entry}
        triple = [
            Decimal(rate) for rate in {**own, **self.base_models}[base]
        ]  # exact: only the final rate is quantised
        if self.policy == "multiplier":
            return _quantised([rate * Decimal(self.amount) for rate in triple])
        if self.policy == "markup":
            return _quantised([rate + Decimal(self.amount) for rate in triple])
        return _quantised(triple)


def _quantised(triple: Iterable[Any]) -> tuple[Decimal, ...]:
    return tuple(Decimal(rate).quantize(NANO, ROUND_HALF_UP) for rate in triple)


@dataclass
class Expected:
    """The expected result of rating a window: rows by natural key, events by outcome."""

    rows: dict[tuple[str, str, str, datetime], dict[str, Any]] = field(default_factory=dict)
    events: int = 0
    events_rated: int = 0
    unpriced_events: int = 0
    unattributable_events: int = 0
    ambiguous_base_events: int = 0
    ambiguous_org_events: int = 0
    uncharged_events: int = 0
    total_cost: Decimal = Decimal(0)


def rate(events: Iterable[Mapping[str, Any]], prices: Prices, start: datetime, end: datetime) -> Expected:
    """Rate those of the events, rows of billing_event, that are in a window. They may have an ``org_id``."""
    with localcontext(prec=60):
        expected: Expected = _rate(events, prices, start, end)
    return expected


def _rate(events, prices, start, end):
    expected = Expected()
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for event in events:
        instant = event["event_ts"] if event["event_ts"] is not None else event["created_at"]
        if not start <= instant < end:
            continue
        expected.events += 1
        who = (event["auth_id"], event["resource_id"], event["model"])
        if None in who:
            expected.unattributable_events += 1
            continue
        rates, via = prices.rate(event["model"], event["base_model"])
        if rates is None:
            expected.unpriced_events += 1
            continue
        hour = instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        groups.setdefault((*who, hour), []).append((event, rates, via))
    for key, members in groups.items():
        if len({via for _, _, via in members if via is not None}) > 1:
            expected.ambiguous_base_events += len(members)
            continue
        if len({event.get("org_id") for event, _, _ in members} - {None}) > 1:
            expected.ambiguous_org_events += len(members)
            continue
        expected.events_rated += len(members)
        row = _rolled_up(key, members)
        expected.rows[key] = row
        expected.total_cost += row["cost"]
        expected.uncharged_events += sum(_uncharged(event, rates) for event, rates, _ in members)
    return expected


def _cost(event, rates):
    billable = max(event["prompt_tokens"] - event["cached_tokens"], 0)
    return billable * rates[0] + event["cached_tokens"] * rates[1] + event["completion_tokens"] * rates[2]


def _uncharged(event, rates):
    tokens = event["prompt_tokens"] or event["cached_tokens"] or event["completion_tokens"]
    return bool(tokens) and any(rates) and _cost(event, rates) == 0


def _rolled_up(key, members):
    auth_id, resource_id, model_id, hour = key
    events = [event for event, _, _ in members]
    rates = members[0][1]
    orgs = [event["org_id"] for event in events if "org_id" in event]
    org = {"org_id": next((org for org in orgs if org is not None), None)} if orgs else {}
    return {
        **org,
        "id": row_id(auth_id, resource_id, model_id, hour),
        "window_end": hour + HOUR,
        "prompt_tokens": sum(event["prompt_tokens"] for event in events),
        "cached_tokens": sum(event["cached_tokens"] for event in events),
        "completion_tokens": sum(event["completion_tokens"] for event in events),
        "billable_prompt_tokens": sum(max(event["prompt_tokens"] - event["cached_tokens"], 0) for event in events),
        "cost": sum((_cost(event, own) for event, own, _ in members), Decimal(0)),
        "applied_prompt_rate": rates[0],
        "applied_cached_rate": rates[1],
        "applied_completion_rate": rates[2],
        "event_count": len(events),
    }


def row_id(auth_id: str, resource_id: str, model_id: str, hour: datetime) -> str:
    """The id of a row, with lengths in characters."""
    parts = "|".join(f"{len(part)}:{part}" for part in (auth_id, resource_id, model_id))
    return hashlib.md5(f"{parts}|{int(hour.timestamp())}".encode()).hexdigest()  # noqa: S324 - an id, no secret
