"""The program ``wxyc``: its commands, what each prints, and its exit codes.

A command decides nothing about the data: rules belong in ``assets``, ``runs`` or ``monitoring``.
"""

from wxyc_assets.cli.program import main

__all__ = ["main"]
