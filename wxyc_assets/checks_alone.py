"""What is said to a person who wants to execute checks without their asset, which the UI offers for all of them."""

import dagster as dg


def refuse_checks_alone(context: dg.AssetExecutionContext, asset: str) -> None:
    """Raise dg.Failure if a run is to evaluate checks only: they judge what a run of their asset did, and there is none."""
    if not context.selected_asset_keys:
        raise dg.Failure(
            f"the checks of {asset} judge what a run of it did, and cannot be executed alone: materialize {asset} instead, "
            "with dry_run if nothing is to be written",
            allow_retries=False,
        )
