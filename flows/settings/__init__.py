"""The only room that looks at the environment and at `.env`: keys, addresses, paths, storages."""

from flows.settings.settings import (
    ADDRESS_VARIABLES,
    KEY_VARIABLES,
    SECRET_VARIABLES,
    Settings,
    Signing,
    quiet_prefect,
)
from flows.settings.storages import hand_to_storages, left_in_file

__all__ = [
    "ADDRESS_VARIABLES",
    "KEY_VARIABLES",
    "SECRET_VARIABLES",
    "Settings",
    "Signing",
    "hand_to_storages",
    "left_in_file",
    "quiet_prefect",
]
