"""Unbilled usage as ``wxyc rated`` prints it, and what of it an operator chose."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click
import psycopg

from wxyc_assets.assets.rated_usage.unbilled.search import find_unbilled, search_window
from wxyc_assets.assets.rated_usage.unbilled.usage import ACCEPT, BILL, UnbilledUsage, estimated, hours_of
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.runs.partitions import WindowError, hour_key, hour_of, utc_hour
from wxyc_assets.settings import RatingSettings, load

ALL_BILLED = "every event outside the trailing hours is billed or accepted"


def search(connection: psycopg.Connection) -> list[UnbilledUsage]:
    """Search for unbilled usage with this station's settings."""
    settings = load(RatingSettings)
    return find_unbilled(connection, search_window(datetime.now(UTC), settings.trailing_hours, settings.first_hour))


def chosen(
    unbilled: Sequence[UnbilledUsage], hours: Sequence[str], until: str | None, *, misdated: bool
) -> list[UnbilledUsage]:
    """Return the usage of these hours, of all hours before ``until``, and what is misdated.

    Raises click.UsageError for a text that is no hour, CannotError for an hour without unbilled usage.
    """
    try:
        keys = {hour_key(hour_of(hour)) for hour in hours}
        bound = hour_key(utc_hour("--until", until)) if until else ""
    except WindowError as error:
        raise click.UsageError(str(error)) from error
    if missing := keys - {each.bucket for each in unbilled}:
        raise CannotError(
            f"no unbilled usage in {', '.join(sorted(missing))}, and none was accepted: `wxyc rated unbilled` lists all"
        )
    return [each for each in unbilled if (each.bucket in keys or each.bucket < bound if each.is_hour else misdated)]


@dataclass(frozen=True)
class UnbilledView:
    """Unbilled usage, oldest hour first."""

    unbilled: Sequence[UnbilledUsage]

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON object, money as decimal text."""
        return {
            "unbilled": [
                {
                    "bucket": each.bucket,
                    "events": each.events,
                    "estimated_cost": None if each.estimated_cost is None else str(each.estimated_cost),
                    "found_at": each.found_at.isoformat(),
                }
                for each in self.unbilled
            ],
            "estimated_cost": str(estimated(self.unbilled)),
        }

    def lines(self) -> Iterator[str]:
        """Return it as text, and what to do about it."""
        if not self.unbilled:
            yield ALL_BILLED
            return
        yield from map(_line, self.unbilled)
        yield f"in all about {estimated(self.unbilled)} USD"
        if hours_of(self.unbilled):
            yield BILL
        yield ACCEPT

    def accepted_lines(self, by: str | None) -> Iterator[str]:
        """Return what was accepted; ``by`` None: a dry run, which accepted nothing."""
        yield from map(_line, self.unbilled)
        if not self.unbilled:
            yield "there was nothing to accept"
            return
        yield (
            f"accepted by {by}: they stay unbilled, and are not reported again"
            if by
            else "a dry run: none of them was accepted"
        )


def _line(each: UnbilledUsage) -> str:
    cost = "cost not known" if each.estimated_cost is None else f"about {each.estimated_cost} USD"
    return f"{each.bucket:<16}  {each.events} events, {cost if each.is_hour else 'no hour bills them'}"
