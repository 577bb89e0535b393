"""What a run finds out about itself, and whom a failed check blames."""

from wxyc_assets.finding import Finding, blamed, failed_errors


def one(name, *, passed, **fields):
    return Finding(name, passed=passed, **fields)


def test_a_failed_check_blames_the_partitions_whose_own_findings_fail_it():
    own = {
        3: [one("rows", passed=False), one("rate", passed=True)],
        4: [one("rows", passed=True), one("rate", passed=True)],
        11: [one("rows", passed=False), one("rate", passed=True)],
    }
    rows, rate, fine = blamed([one("rows", passed=False), one("rate", passed=False), one("fine", passed=True)], own)
    assert list(rows.partitions) == ["3", "11"]
    assert list(rate.partitions) == []  # a share that only all of them together have is nobody's
    assert list(fine.partitions) == []


def test_what_a_finding_knows_itself_is_kept():
    (found,) = blamed([one("rows", passed=False, partitions=["7"])], {3: [one("rows", passed=False)]})
    assert list(found.partitions) == ["7"]


def test_only_a_failed_error_counts_as_one():
    found = [one("a", passed=False), one("b", passed=False, severity="WARN"), one("c", passed=True)]
    assert failed_errors(found) == ["a"]
