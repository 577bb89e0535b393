"""The program ``wxyc``."""

from wxyc_assets.cli.program import main

__all__ = ["main"]
