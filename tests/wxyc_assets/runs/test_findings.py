"""What the checks of a run find, and which partitions a failed check names."""

from wxyc_assets.runs.findings import Finding, attributed, failed_errors


def one(name, *, passed, **fields):
    return Finding(name, passed=passed, **fields)


def test_failed_check_names_partitions_whose_own_check_fails():
    own = {
        3: [one("rows", passed=False), one("rate", passed=True)],
        4: [one("rows", passed=True), one("rate", passed=True)],
        11: [one("rows", passed=False), one("rate", passed=True)],
    }
    rows, rate, fine = attributed([one("rows", passed=False), one("rate", passed=False), one("fine", passed=True)], own)
    assert list(rows.partitions) == ["3", "11"]
    assert list(rate.partitions) == []  # a share that only all of them together have belongs to no partition
    assert list(fine.partitions) == []


def test_partitions_that_a_finding_names_are_kept():
    (found,) = attributed([one("rows", passed=False, partitions=["7"])], {3: [one("rows", passed=False)]})
    assert list(found.partitions) == ["7"]


def test_only_a_failed_error_counts_as_one():
    found = [one("a", passed=False), one("b", passed=False, severity="WARN"), one("c", passed=True)]
    assert failed_errors(found) == ["a"]
