"""``wxyc verify``: recomputes bills from their events and prices, and compares them with what is billed and sealed."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from wxyc_assets.cli.outcome import ANOMALY, DONE, Outcome
from wxyc_assets.runs.partitions import HOUR

if TYPE_CHECKING:
    from wxyc_assets.assets.rated_usage.seals.verification import HourVerified

SHOWN = 20
"""Hours, or ranges of hours with the same problem, on a terminal; --json lists all."""

EXAMPLES = """\b
Examples:
  wxyc verify --since 2026-10-01T00:00:00Z --until 2026-11-01T00:00:00Z
"""


@click.command("verify", short_help="Prove that bills are what their events cost.", epilog=EXAMPLES)
@click.option("--since", required=True, metavar="T", help="The first hour, such as 2026-10-01T00:00:00Z.")
@click.option("--until", required=True, metavar="T", help="The hour to stop before.")
@click.option("--head", metavar="DIGEST", help="The head that `wxyc seal` printed once: it must still be in the chain.")
def command(since: str, until: str, head: str | None) -> Outcome:
    """Recompute every hour of a window from its events and its own price file, and compare it bit for bit.

    A sealed hour is compared with its seal too, and the chain of all seals is checked. The result names the first hours and
    rows that differ. Each hour is rated under its lock and rolled back: no bill changes. Exits 0 if all agrees, 2 if not.
    """
    from wxyc_assets.assets.rated_usage.seals.verification import read_chain, verify
    from wxyc_assets.cli.schema_session import billing_session
    from wxyc_assets.database import connections
    from wxyc_assets.runs.partitions import window_text

    hours = _hours(since, until)
    postgres = connections.open_billing()
    with billing_session():
        chain = read_chain(postgres)
        problems = list(chain.problems)
        if head and head not in chain.digests:
            problems.append(f"no seal of the chain has the digest {head}: seals were removed or changed")
        results = []
        with click.progressbar(
            length=len(hours), label="hours", file=sys.stderr, hidden=not sys.stderr.isatty()
        ) as bar:
            for result in verify(postgres, hours, chain.states):
                results.append(result)
                bar.update(1)
    results.sort(key=lambda result: result.hour)
    return _outcome(window_text(hours[0], hours[-1] + HOUR), results, problems, chain.head)


def _hours(since: str, until: str) -> list[datetime]:
    """Return the starts of the closed hours of the window, from the first that is rated at all."""
    from wxyc_assets.runs.partitions import WindowError, hour_start, hours_between, rfc3339, utc_hour, window_keys
    from wxyc_assets.settings import RatingSettings, load

    settings = load(RatingSettings)
    try:
        first = max(utc_hour("--since", since), settings.first_hour)
        keys = window_keys(rfc3339(first), until, datetime.now(UTC), settings.trailing_hours, settings.first_hour)
    except WindowError as error:
        raise click.UsageError(str(error)) from error
    return [hour_start(key) for key in hours_between(*keys)]


def _outcome(window: str, results: "Sequence[HourVerified]", problems: Sequence[str], head: str) -> Outcome:
    from wxyc_assets.assets.rated_usage.seals.verification import in_words
    from wxyc_assets.runs.partitions import hour_key

    different = [result for result in results if result.problems and result.is_known]
    unknown = [result for result in results if not result.is_known]
    wrong = [*different, *unknown]
    sealed = sum(result.sealed for result in results)
    printed = {
        "window": window,
        "hours": len(results),
        "hours_sealed": sealed,
        "hours_different": [{"hour": hour_key(each.hour), "problems": list(each.problems)} for each in different],
        "hours_unknown": [{"hour": hour_key(each.hour), "problems": list(each.problems)} for each in unknown],
        "chain_problems": list(problems),
        "head": head or None,
        "verified": not (wrong or problems),
    }
    lines = [f"FAIL {problem}" for problem in problems]
    for level, listed in (("FAIL", in_words(different)), ("WARN", in_words(unknown))):
        lines += [f"{level} {text}" for text in listed[:SHOWN]]
        lines += [f"and {len(listed) - SHOWN} more: --json lists all"] if len(listed) > SHOWN else []
    lines.append(
        f"{len(results) - len(wrong)} of {len(results)} hours are what their events cost, {sealed} of all are sealed"
    )
    lines += [f"head: {head}"] if head else []
    return Outcome(printed, ANOMALY if wrong or problems else DONE, lines)
