"""``wxyc psql``: opens the station's database for reading."""

import click

from wxyc_assets.cli.outcome import DONE, FAILED, Outcome, Output

EXAMPLES = """\b
Examples:
  wxyc psql
  wxyc psql -c "SELECT count(*) FROM library_identity"
  wxyc psql -c "SELECT * FROM wxyc_assets.alert" -- --csv
"""


@click.command("psql", short_help="The station's database, for reading only.", epilog=EXAMPLES)
@click.option("-c", "--command", "statements", multiple=True, metavar="SQL", help="Run this statement, and end.")
@click.option("--billing", is_flag=True, help="The database of the billing tables, if BILLING_DATABASE_URL names one.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- PSQL_OPTION...]")
@click.pass_obj
def command(output: Output, statements: tuple[str, ...], billing: bool, arguments: tuple[str, ...]) -> Outcome:
    """Open the station's database with psql, for reading only.

    On the embedded server the session's role may read every table and write none. With DATABASE_URL the session has the role of
    that URL and begins in read-only mode, which guards against mistakes only. Prints what psql prints. docs/where.md says which
    table is where.
    """
    from wxyc_assets.cli.psql_session import run_psql

    return Outcome(exit_code=DONE if run_psql(statements, arguments, output.stdout, billing=billing) == 0 else FAILED)
