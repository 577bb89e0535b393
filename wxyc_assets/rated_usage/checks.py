"""The checks of rated_usage as Dagster sees them; what they decide is in findings.py."""

from wxyc_assets.check_specs import check_specs

_DESCRIPTIONS = {
    "anomalies_add_up": "Every event of an hour is billed, or counted once among those that could not be.",
    "unpriced_zero": "Every event has a price.",
    "unattributable_zero": "Every event has a customer, a deployment and a model.",
    "ambiguous_base_zero": "All of a customer's events of one fine-tune, in one hour, name the same base.",
    "work_without_charge": "No event with tokens cost nothing, unless its model is free throughout.",
    "accounting_holds": "Every hour has one outcome, and the tables did what was decided, row for row and to the nano-dollar.",
    "reconciled_deletions": "A routine run deleted no billed row. An explicit one may.",
    "trailing_hours_rated": "No trailing hour that closed more than two hours ago waits to be rated, whoever was to rate it.",
}

BLOCKING = {"reconciled_deletions"}

SPECS = check_specs("rated_usage", _DESCRIPTIONS, blocking=BLOCKING, scopes={"trailing_hours_rated": "watched"})
