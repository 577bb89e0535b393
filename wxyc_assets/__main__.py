"""``python -m wxyc_assets`` is ``wxyc``."""

import sys
from pathlib import Path

if not sys.flags.safe_path and Path(sys.path[0]).resolve() != Path(__file__).resolve().parents[1]:
    del sys.path[0]  # the working folder: a click.py or a resources.py in it would be imported in place of ours

from wxyc_assets.cli import main

if __name__ == "__main__":
    main()
