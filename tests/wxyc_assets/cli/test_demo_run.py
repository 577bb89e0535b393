"""The summary and the exit code of the demo. tests/wxyc_assets/cli/test_demo.py runs it."""

import string

import pytest

from wxyc_assets.assets.registry import BY_NAME, demo_order
from wxyc_assets.cli.demo_run import _closing, _summary, _worst
from wxyc_assets.cli.outcome import ANOMALY, DONE, FAILED, Outcome

STORED = {"identities": 12, "sources": 30, "albums": 7}


@pytest.mark.parametrize(
    ("codes", "worst"),
    [([DONE, DONE], DONE), ([DONE, ANOMALY, DONE], ANOMALY), ([FAILED, ANOMALY], FAILED), ([ANOMALY, FAILED], FAILED)],
)
def test_exit_code_is_the_worst_of_the_runs(codes, worst):
    assert _worst(iter(codes)) == worst


def test_a_run_is_summed_up_in_one_sentence():
    outcome = Outcome({"totals": {"flipped": 9}})
    assert _summary(BY_NAME["flowsheet_enrichment"], outcome) == "9 plays now have their album's metadata"


@pytest.mark.parametrize(("started_by", "advised"), [({}, "wxyc up"), ({"MAKELEVEL": "1"}, "make up")])
def test_end_has_the_stored_counts_and_the_next_command(monkeypatch, started_by, advised):
    """Those who installed a wheel have no Makefile."""
    monkeypatch.delenv("MAKELEVEL", raising=False)
    for name, value in started_by.items():
        monkeypatch.setenv(name, value)
    assert _closing({"flowsheet_enrichment": Outcome({"totals": {"flipped": 9}})}, STORED) == [
        "the station has 12 identities from 30 sources, and metadata of 7 albums",
        f"next: `{advised}` opens the Dagster UI on this station",
    ]


def test_summary_names_each_run_with_a_reason():
    printed = {"totals": {"resolved": 0}, "reason": "LML answered nothing"}
    assert "look at rotation_identity: LML answered nothing" in _closing(
        {"rotation_identity": Outcome(printed)}, STORED
    )


def test_every_summary_is_a_template_over_totals():
    for info in demo_order():
        assert info.demo is not None
        fields = [name for _, name, _, _ in string.Formatter().parse(info.demo.summary) if name]
        assert fields, info.name
