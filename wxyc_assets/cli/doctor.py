"""``wxyc doctor``: checks everything that a run needs before a run needs it."""

import click

from wxyc_assets.cli.outcome import DONE, FAILED, Outcome


@click.command("doctor", short_help="Check settings and services; say what to do.")
@click.option("--sentry", is_flag=True, help="Send Sentry one check-in, to see whether it accepts events.")
def command(sentry: bool) -> Outcome:
    """Check everything that runs need, and say for each whether it works and what to do if not.

    Changes nothing, and asks LML for nothing that costs a Discogs call. Exits 1 if a run would not work.
    """
    from wxyc_assets.cli.doctor_checks.diagnose import diagnose

    diagnoses = diagnose(asks_sentry=sentry)
    lines = []
    for diagnosis in diagnoses:
        lines.append(f"{'ok  ' if diagnosis.ok else 'FAIL'} {diagnosis.name}: {diagnosis.says}")
        if diagnosis.advice:
            lines.append(f"       {diagnosis.advice}")
    ok = all(diagnosis.ok for diagnosis in diagnoses)
    return Outcome({"ok": ok, "findings": [vars(diagnosis) for diagnosis in diagnoses]}, DONE if ok else FAILED, lines)
