"""The price file as an external asset: finance owns it, and an observation records which prices are in force."""

import dagster as dg

from resources.postgres import Postgres
from resources.price_file import PriceFileError
from wxyc_assets.assets.price_book.load import load_price_book
from wxyc_assets.database.billing import NO_BILLING, has_billing
from wxyc_assets.orchestration.external_asset import external_asset
from wxyc_assets.settings import RatingSettings


@external_asset(
    "price_book",
    group="billing",
    owner="team:finance",
    kind="yaml",
    description=(
        "What a token costs: the price file that PRICE_FILE names, with rates in USD per token for each model. Finance "
        "owns it. An observation checks it against every rule and uses the SHA-256 of its bytes as the data version. A "
        "file with a problem fails the observation and every run of rated_usage; `wxyc prices check` shows the same "
        "problems."
    ),
)
def price_book(
    rating_settings: dg.ResourceParam[RatingSettings], billing_postgres: dg.ResourceParam[Postgres]
) -> dg.ObserveResult:
    """Load the prices that the next run would use. A station without billing needs none."""
    path = rating_settings.price_file
    if path is None:
        with billing_postgres.connect() as connection:
            if not has_billing(connection):
                return dg.ObserveResult(metadata={"billing": NO_BILLING})
    try:
        book = load_price_book(path)
    except PriceFileError as error:
        # `from None`: with a cause, Dagster would print all problems twice.
        raise dg.Failure(str(error), metadata={"problems": len(error.problems)}, allow_retries=False) from None
    return dg.ObserveResult(
        data_version=dg.DataVersion(book.digest),
        metadata={
            "version": book.version,
            "models": len(book.priced),
            "bases_of_fine_tunes": len(book.derived),
            "path": dg.MetadataValue.path(str(path)),
        },
    )
