"""``wxyc doctor``: everything a run needs, looked at before a run needs it."""

import click

from wxyc_assets.cli.outcome import COULD_NOT, DONE, Outcome


@click.command("doctor", short_help="Settings, databases, tables and privileges, LML, Sentry.")
def command() -> Outcome:
    """Look at everything that runs need and say, for each, whether it is well and what to do if not.

    Nothing is changed, and nothing is asked of LML that costs anything. Exits 1 if a run would not work.
    """
    from wxyc_assets.cli.examination import examine

    findings = examine()
    for finding in findings:
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.name}: {finding.says}", err=True)
        if finding.advice:
            click.echo(f"       {finding.advice}", err=True)
    well = all(finding.ok for finding in findings)
    return Outcome({"ok": well, "findings": [vars(finding) for finding in findings]}, DONE if well else COULD_NOT)
