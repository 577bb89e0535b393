"""The name of the operator at this terminal, for what an operator decides and the ledger keeps."""

import getpass
import os


def operator_name(given: str | None) -> str:
    """Return the name that the option ``--by`` gives; without it that of the user of this process, or else its number."""
    if given and given.strip():
        return given.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container can run as a user that it has no entry for
        return f"uid {os.getuid()}"
