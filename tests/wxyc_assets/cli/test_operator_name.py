"""Who decides: the option ``--by``, else the user of the process, else its number."""

import getpass
import os

import pytest

from wxyc_assets.cli.operator_name import operator_name


def test_given_name_counts():
    assert operator_name(" finance ") == "finance"


@pytest.mark.parametrize("given", [None, "", " "])
def test_user_of_the_process_is_the_operator(monkeypatch, given):
    monkeypatch.setenv("LOGNAME", "night-shift")
    assert operator_name(given) == "night-shift"


@pytest.mark.parametrize("error", [KeyError, OSError])
def test_user_without_an_entry_is_named_by_its_number(monkeypatch, error):
    def unknown():
        raise error("no entry")

    monkeypatch.setattr(getpass, "getuser", unknown)
    assert operator_name(None) == f"uid {os.getuid()}"
