"""The settings of the station: environment variables as typed groups, which each command loads by itself.

Nothing here is read at import time, and no asset, SQL or network call belongs here.
"""

from wxyc_assets.settings.groups import (
    ALL_GROUPS,
    NODE_ENV,
    AlbumSettings,
    DatabaseSettings,
    FlowsheetSettings,
    HomeSettings,
    IdentitySettings,
    LmlSettings,
    RatingSettings,
    RetentionSettings,
    RotationSettings,
    SentrySettings,
    SettingsGroup,
    UiSettings,
)
from wxyc_assets.settings.loading import Group, SettingsError, ignored_variables, load, load_all
from wxyc_assets.settings.values import EARLIEST_HOUR

__all__ = [
    "ALL_GROUPS",
    "EARLIEST_HOUR",
    "NODE_ENV",
    "AlbumSettings",
    "DatabaseSettings",
    "FlowsheetSettings",
    "Group",
    "HomeSettings",
    "IdentitySettings",
    "LmlSettings",
    "RatingSettings",
    "RetentionSettings",
    "RotationSettings",
    "SentrySettings",
    "SettingsError",
    "SettingsGroup",
    "UiSettings",
    "ignored_variables",
    "load",
    "load_all",
]
