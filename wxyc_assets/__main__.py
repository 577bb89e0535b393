"""``python -m wxyc_assets`` is ``wxyc``."""

from wxyc_assets.cli import main

if __name__ == "__main__":
    main()
