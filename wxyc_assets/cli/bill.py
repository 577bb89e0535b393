"""``wxyc bill``: one customer's bill of a month."""

from datetime import UTC, datetime

import click

from wxyc_assets.cli.csv_output import csv_option, write_csv
from wxyc_assets.cli.outcome import ANOMALY, DONE, CannotError, Outcome

EXAMPLES = """\b
Examples:
  wxyc bill --auth key-archive --month 2026-10
  wxyc bill --auth key-archive --month 2026-10 --csv > bill.csv
"""


@click.command("bill", short_help="One customer's bill of a month.", epilog=EXAMPLES)
@click.option("--auth", "auth_id", required=True, metavar="A", help="The customer: auth_id of the events.")
@click.option("--month", required=True, metavar="M", help="The month of UTC, such as 2026-10.")
@csv_option
def command(auth_id: str, month: str, as_csv: bool) -> Outcome:
    """Print what customer A is billed for month M, by day, model, deployment and organisation, with the totals.

    It says whether the hours of the month are all rated, for all customers, and which are not. Exits 2 if an hour that closed
    more than two hours ago is not rated, or if the last search found events that no rating has seen. Changes nothing.
    """
    from wxyc_assets.assets.rated_usage.reports.bill import Bill, Month, bill_rows, coverage
    from wxyc_assets.cli.bill_view import bill_lines, coverage_lines
    from wxyc_assets.cli.customers import require_customer
    from wxyc_assets.cli.schema_session import billing_snapshot
    from wxyc_assets.monitoring.partition_status.store import first_event_hour
    from wxyc_assets.runs.partitions import WindowError
    from wxyc_assets.settings import RatingSettings, load

    try:
        asked = Month.parse(month)
    except WindowError as error:
        raise click.UsageError(str(error)) from error
    now = datetime.now(UTC)
    if asked.start > now:
        raise CannotError(f"the month {month} has not begun yet: it can hold no usage. Ask for one that has")
    with billing_snapshot() as connection:
        require_customer(connection, auth_id)
        settings = load(RatingSettings)
        first_hour = settings.billing_start or first_event_hour(connection) or settings.first_hour
        covered = coverage(connection, asked, now, first_hour)
        exit_code = ANOMALY if covered.is_anomaly else DONE
        rows = bill_rows(connection, auth_id, asked)
        if as_csv:
            write_csv(rows.columns, rows.tuples)
            return Outcome(exit_code=exit_code, problem="\n".join(coverage_lines(covered)) if exit_code else "")
        bill = Bill(auth_id, asked, list(rows), covered)
    return Outcome(bill.as_json(), exit_code, list(bill_lines(bill)))
