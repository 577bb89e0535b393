"""The kept mutations fit the code and its tests as they are now; a part of them is another tenth every day."""

import ast
from collections import Counter
from datetime import date, timedelta
from functools import cache

import pytest

from tests.mutation.__main__ import chosen, parsed
from tests.mutation.mutations import AUTO_PARTS, NotApplicableError, load, part_of
from tests.processes import ROOT

MUTATIONS = load()
BY_ID = {mutation.id: mutation for mutation in MUTATIONS}
ROOMS = {
    "library_identity", "album_metadata", "flowsheet_enrichment", "rotation_identity", "rotation_cache", "rated_usage", "seals",
    "price_book", "lml", "budget", "database", "redaction", "runs", "monitoring", "sensors", "cli", "embedded_postgres",
    "settings",
}  # fmt: skip


@cache
def functions_of(file):
    """The names of the functions at the top level of a file."""
    return {node.name for node in ast.parse((ROOT / file).read_text()).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.id)
def test_a_mutation_fits_the_code_and_its_tests_exist(mutation):
    code = (ROOT / mutation.file).read_text()
    mutated = mutation.applied(code)
    assert mutated != code
    if mutation.file.endswith(".py"):
        ast.parse(mutated)
    assert mutation.tests
    for test in mutation.tests:
        file, _, function = test.partition("::")
        assert function in functions_of(file), test
    assert mutation.why.endswith(".")


def test_every_room_has_mutations_and_each_a_name_of_its_own():
    assert len(BY_ID) == len(MUTATIONS)
    rooms = Counter(mutation.id.partition(".")[0] for mutation in MUTATIONS)
    assert {room for room, count in rooms.items() if count > 1} >= ROOMS


def test_text_that_occurs_twice_or_never_is_not_applicable():
    mutation = BY_ID["runs.lost_input_unnoticed"]
    for code in ("", mutation.before * 2):
        with pytest.raises(NotApplicableError, match="must occur once"):
            mutation.applied(code)


def test_every_mutation_is_in_one_part():
    today = date(2026, 6, 8)
    parts = [part_of(MUTATIONS, f"{number}/7", today) for number in range(1, 8)]
    assert sorted(one.id for part in parts for one in part) == sorted(BY_ID)
    assert len({len(part) for part in parts}) <= 2


def test_ten_days_in_a_row_have_every_mutation():
    days = [date(2026, 12, 27) + timedelta(days=day) for day in range(AUTO_PARTS)]
    found = {one.id for day in days for one in part_of(MUTATIONS, "auto", day)}
    assert found == set(BY_ID)


@pytest.mark.parametrize("part", ["0/10", "11/10", "3", "3/0", "a/b", "-1/10", ""])
def test_a_part_that_does_not_exist_is_refused(part):
    with pytest.raises(ValueError, match="write PART=3/10"):
        part_of(MUTATIONS, part, date(2026, 6, 8))


def test_one_mutation_is_chosen_by_its_id():
    options = parsed(["--id", "seals.sealed_hour_rated"])
    assert chosen(MUTATIONS, options.id, options.part) == [BY_ID["seals.sealed_hour_rated"]]
    with pytest.raises(ValueError, match="LIST=1"):
        chosen(MUTATIONS, "no.such", None)
