"""The rules of the price file, one by one: a broken rule is reported alone, with its line."""

import pytest

from resources.strict_yaml import parse
from tests.wxyc_assets.assets.price_book.example_files import VALID, changed, minimal
from wxyc_assets.assets.price_book.rules import validate


def problems_of(text):
    """Every problem as text: those of YAML and those of the rules."""
    root, problems = parse(text.encode())
    return [str(problem) for problem in [*problems, *validate(root)[1]]]


def test_the_valid_file_is_valid():
    assert problems_of(VALID) == []


MULTIPLIER = '  policy: multiplier\n  factor: "1.5"\n'
OWN = '{prompt: "0.00001", cached: "0.000001", completion: "0.00002"}'

BROKEN = [
    # 2: parses strictly, an unknown key anywhere
    (2, "gpu_floor_rates:", "gpu_floors:", "line 11: unknown key 'gpu_floors' in the price file: did you mean gpu_floor"),
    (2, "version: 1", "version: 1\ncurrency: USD", "line 2: unknown key 'currency' in the price file: it may have version,"),
    (2, "  policy: multiplier", "  plicy: x\n  policy: multiplier", "line 9: unknown key 'plicy' in fine_tune_premium: did"),
    (2, "    derived_from: base", "    derived_from: base\n    Rate: 1", "line 17: unknown key 'Rate' in fine-tune 'ft:deri"),
    (2, OWN, OWN[:-1] + ", batch: 1}", "line 18: unknown key 'batch' in fine-tune 'ft:own': rate: it may have prompt, cached,"),
    (2, "a100: 0", "- a100", "line 13: not YAML"),
    (2, "a100: 0", "l4: 0", "line 13: key 'l4' is given twice, first on line 12"),
    # 3: version
    (3, "version: 1", "version: 2", "line 1: version '2' is not known"),
    (3, "version: 1", "version: 1.0", "line 1: version '1.0' is not known"),
    (3, "version: 1", "version: 01", "line 1: version '01' is not known"),
    (3, "version: 1", 'version: ""', "line 1: version '' is not known"),
    (3, "version: 1", "version: [1]", "line 1: version must be text, not a list"),
    (3, "version: 1\n", "", "line 1: version is missing"),
    (3, "version: 1\n", "version:\n", "line 1: version is missing"),
    # 5: a base model is no fine-tune
    (5, "base_models:\n", f"base_models:\n  ft:x: {OWN}\n", "line 3: base model 'ft:x' starts with ft:"),
    # 6: all three rates
    (6, '    cached: "0.0000004"\n', "", "line 3: base model 'base': cached is missing"),
    (6, '    cached: "0.0000004"', "    cached:", "line 3: base model 'base': cached is missing"),
    (6, '    cached: "0.0000004"', '    cached: ""', "line 5: base model 'base': cached is missing"),
    (6, '    cached: "0.0000004"', "    cached: {a: 1}", "line 5: base model 'base': cached must be text, not a mapping"),
    (6, '{prompt: "0.000000001", cached: "0", completion: "0"}', "free", "line 7: base model 'cheap' must be a mapping, not"),
    # 7: a plain decimal
    (7, "0.00001\n", "1e-5\n", "line 6: base model 'base': completion '1e-5' is not a plain decimal"),
    (7, "0.00001\n", ".00001\n", "line 6: base model 'base': completion '.00001' is not a plain decimal"),
    (7, "0.00001\n", '"0.00001 "\n', "line 6: base model 'base': completion '0.00001 ' is not a plain decimal"),
    (7, "0.00001\n", "|\n      0.00001\n", "line 6: base model 'base': completion '0.00001\\n' is not a plain decimal"),
    (7, "0.00001\n", ".nan\n", "line 6: base model 'base': completion '.nan' is not a plain decimal"),
    # 8: not negative
    (8, "0.00001\n", "-0.00001\n", "line 6: base model 'base': completion '-0.00001' is negative"),
    # 9: not rounded to zero
    (9, "0.00001\n", "0.0000000004\n", "line 6: base model 'base': completion '0.0000000004' is not zero but rounds to $0"),
    # 10: one price a model
    (10, "  house:", "  base:", "line 20: fine-tune 'base' is in base_models as well"),
    # 11: some price
    (11, "    derived_from: base\n", "", "line 15: fine-tune 'ft:derived' has neither derived_from nor rate"),
    (11, "derived_from: base\n", 'derived_from: ""\n', "line 15: fine-tune 'ft:derived' has neither derived_from nor rate"),
    (11, "derived_from: base\n", "rate: ~\n", "line 15: fine-tune 'ft:derived' has neither derived_from nor rate"),
    # 12: an own rate obeys 6 to 9
    (12, OWN, OWN.replace('prompt: "0.00001", ', ""), "line 17: fine-tune 'ft:own': rate: prompt is missing"),
    (12, '"0.00002"}', '"2e-5"}', "line 18: fine-tune 'ft:own': rate: completion '2e-5' is not a plain decimal"),
    (12, '"0.00002"}', '"-1"}', "line 18: fine-tune 'ft:own': rate: completion '-1' is negative"),
    (12, '"0.00002"}', '"0.0000000002"}', "line 18: fine-tune 'ft:own': rate: completion '0.0000000002' is not zero but"),
    # 13: derived from what is priced
    (13, "derived_from: base", "derived_from: x", "line 16: fine-tune 'ft:derived': derived_from 'x' is not priced"),
    (13, "derived_from: cheap", "derived_from: x", "line 19: fine-tune 'ft:both': derived_from 'x' is not priced"),
    # 14: one hop
    (14, "derived_from: base", "derived_from: ft:own", "line 16: fine-tune 'ft:derived': derived_from 'ft:own' is a fine-tune"),
    (14, "derived_from: base", "derived_from: ft:derived", "line 16: fine-tune 'ft:derived': derived_from 'ft:derived' is a"),
    (14, "  house:\n", "  house:\n    derived_from: house\n", "line 21: fine-tune 'house': derived_from 'house' is a"),
    # 15: the premium's policy and its one parameter
    (15, MULTIPLIER, "  policy: multiplier\n", "line 9: fine_tune_premium: policy multiplier needs factor"),
    (15, MULTIPLIER, '  policy: multiplier\n  factor: ""\n', "line 9: fine_tune_premium: policy multiplier needs factor"),
    (15, MULTIPLIER, "  policy: markup\n", "line 9: fine_tune_premium: policy markup needs markup"),
    (15, MULTIPLIER, MULTIPLIER + '  markup: "1"\n', "line 11: fine_tune_premium: markup has no meaning under"),
    (15, MULTIPLIER, '  policy: markup\n  markup: "1"\n  factor: "1"\n', "line 11: fine_tune_premium: factor has no meaning"),
    (15, MULTIPLIER, '  policy: identity\n  factor: "1"\n', "line 10: fine_tune_premium: factor has no meaning under policy"),
    (15, "  policy: multiplier\n", "", "line 9: fine_tune_premium: factor has no meaning under policy identity"),
    (15, "policy: multiplier", "policy: Multiplier", "line 9: fine_tune_premium: policy 'Multiplier' is not known"),
    (15, "policy: multiplier", "policy: [a]", "line 9: fine_tune_premium: policy must be text, not a list"),
    (15, 'factor: "1.5"', 'factor: "1,5"', "line 10: fine_tune_premium: factor '1,5' is not a plain decimal"),
    (15, 'factor: "1.5"', 'factor: "-1"', "line 10: fine_tune_premium: factor '-1' is negative"),
    (15, MULTIPLIER, "  policy: markup\n  markup: -1\n", "line 10: fine_tune_premium: markup '-1' is negative"),
    (15, MULTIPLIER, "  policy: markup\n  markup: [1]\n", "line 10: fine_tune_premium: markup must be text, not a list"),
    # 16: the premium does not round a price to zero
    (16, 'factor: "1.5"', 'factor: "0.4"', "line 7: model 'cheap': prompt with the fine_tune_premium rounds to $0"),
    # 17: floors
    (17, '"0.000123"', "-1", "line 12: floor rate of GPU 'l4': '-1' is negative"),
    (17, '"0.000123"', "1e-5", "line 12: floor rate of GPU 'l4': '1e-5' is not a plain decimal"),
    (17, '"0.000123"', "", "line 12: floor rate of GPU 'l4': is missing"),
    (17, '"0.000123"', "{a: 1}", "line 12: floor rate of GPU 'l4': must be text, not a mapping"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "old", "new", "problem"), BROKEN)
def test_a_file_that_breaks_one_rule_reports_only_that_rule(rule, old, new, problem):
    """The only problem names the line that breaks the rule."""
    (only,) = problems_of(changed(old, new))
    assert only.startswith(problem)


def test_every_rule_that_can_be_broken_alone_has_a_case(request):
    # test_price_file.py covers rule 1; breaking rule 4 alone is impossible, because it leaves no base to derive from.
    assert {rule for rule, *_ in BROKEN} == set(range(2, 18)) - {4}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("version: 1\n", 1),
        ("# prices\nversion: 1\nbase_models:\n", 2),
        ("version: 1\nbase_models: {}\n", 2),
        ('version: 1\nfine_tunes:\n  f: {rate: {prompt: "1", cached: "1", completion: "1"}}\n', 1),
    ],
)
def test_a_file_without_base_models_is_refused(text, line):
    assert problems_of(text) == [f"line {line}: base_models names no model, so nothing could be priced"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[1]", "line 1: the price file must be a mapping, not a list"),
        ("1", "line 1: the price file must be a mapping, not the text '1'"),
        ("version: 1\nbase_models: [a]", "line 2: base_models must be a mapping, not a list"),
        (minimal() + "fine_tunes: [a]", "line 4: fine_tunes must be a mapping, not a list"),
        (minimal() + "fine_tunes: {f: [a]}", "line 4: fine-tune 'f' must be a mapping, not a list"),
        (
            minimal() + "fine_tunes: {f: {derived_from: [b]}}",
            "line 4: fine-tune 'f': derived_from must be text, not a list",
        ),
        (
            minimal() + "fine_tune_premium: identity",
            "line 4: fine_tune_premium must be a mapping, not the text 'identity'",
        ),
        (minimal() + "gpu_floor_rates: [a]", "line 4: gpu_floor_rates must be a mapping, not a list"),
    ],
)
def test_a_part_of_the_wrong_kind_is_reported_once(text, problem):
    assert problems_of(text) == [problem]


@pytest.mark.parametrize(
    "section", ["fine_tunes:", "fine_tune_premium:", "gpu_floor_rates: ~", "fine_tune_premium: {}"]
)
def test_optional_sections_may_be_empty(section):
    assert problems_of(minimal() + section) == []


@pytest.mark.parametrize("version", ["1", '"1"', "'1'"])
def test_the_version_is_read_as_text(version):
    assert problems_of(changed("version: 1", f"version: {version}")) == []


@pytest.mark.parametrize("rate", ["+1", "-0", "007", "0", "0.0000000005", "99999999999.999999999"])
def test_odd_rates_that_the_contract_allows_are_accepted(rate):
    assert problems_of(minimal(prompt=rate)) == []


@pytest.mark.parametrize("model", ['""', '" "', "null", "1.50", '"a:b"', "\N{SNOWMAN}", "<<x"])
def test_any_id_without_the_prefix_can_be_a_base_model(model):
    """Only ids that start with ``ft:`` are refused as base models."""
    assert problems_of(changed("  cheap:", f"  {model}:").replace("derived_from: cheap", "derived_from: base")) == []


PREMIUM = "fine_tune_premium: {policy: %s, %s: '%s'}\n"


@pytest.mark.parametrize(
    ("policy", "parameter", "amount", "rate", "fine"),
    [
        ("multiplier", "factor", "0", "0.000001", False),
        ("multiplier", "factor", "0", "0", True),  # free is free
        ("multiplier", "factor", "0.4", "0.000000001", False),
        ("multiplier", "factor", "0.5", "0.000000001", True),
        ("multiplier", "factor", "0.4", "0", True),
        ("multiplier", "factor", "0.00000001", "0.04", False),
        ("multiplier", "factor", "0.00000001", "0.05", True),
        ("multiplier", "factor", "0.5", "0.0000000009", False),  # applied to the exact rate, not to the billed one
        ("markup", "markup", "0", "0.0000000005", True),
        ("markup", "markup", "0.0000000001", "0", True),
    ],
)
@pytest.mark.parametrize("fine_tunes", ["", "fine_tunes: {ft:x: {derived_from: b}}\n"])
def test_a_premium_that_rounds_a_price_to_zero_is_refused(policy, parameter, amount, rate, fine, fine_tunes):
    """It is refused whether or not the file names fine-tunes, because events can name any base."""
    text = minimal(prompt=rate, cached="0", completion="0") + PREMIUM % (policy, parameter, amount) + fine_tunes
    problems = problems_of(text)
    assert len(problems) == (0 if fine else 1)
    assert fine or "line 3: model 'b': prompt with the fine_tune_premium rounds to $0" in problems[0]


def test_the_premium_is_checked_for_every_true_base():
    """A model under fine_tunes can be a true base as well."""
    text = changed('factor: "1.5"', 'factor: "0.4"').replace('"0.0000002"', '"0.000000001"')
    assert {problem.split(" with")[0] for problem in problems_of(text)} == {
        "line 7: model 'cheap': prompt",
        "line 21: model 'house': cached",  # ft:own, ft:both and ft:derived are no true bases
    }


@pytest.mark.parametrize(
    ("rate", "premium"),
    [
        ("100000000000", ""),
        ("99999999999.9999999995", ""),
        ("50000000000", PREMIUM % ("multiplier", "factor", "2")),
        ("1", PREMIUM % ("markup", "markup", "100000000000")),
    ],
)
def test_a_rate_too_large_to_store_is_refused(rate, premium):
    """Otherwise the file would load, and every run would fail when it stores the rate."""
    problems = problems_of(minimal(prompt=rate, cached="0" if "factor" in premium else rate) + premium)
    assert problems
    assert all("is too large: a billed rate must be below 100000000000" in problem for problem in problems)


def test_both_copies_of_a_repeated_section_are_checked():
    text = minimal(prompt="-1") + minimal(cached="x").replace("version: 1\n", "").replace("  b:", "  c:")
    assert [problem.split(" ")[1] for problem in problems_of(text)] == ["4:", "3:", "5:"]
    assert len(problems_of(text)) == 3
