"""The pictures of the stories, with the file names in the README."""

import io
import os
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]

FOLDER_VARIABLE = "WXYC_PICTURES"
"""The variable that names the folder of the pictures; if it is unset, they go to build/screenshots."""

SIZE = (1440, 900)
"""Size of the browser and so of a picture, in pixels."""

CROPPED = frozenset({"ui-graph.png"})
"""Pictures of a part of the page, which have its size."""

READABLE_WIDTH = 1000
"""The most pixels that a cropped picture may be wide: then its text can be read where a page shows it 900 pixels wide."""

PICTURES = {
    "ui-graph.png": "the graph with open groups, as far away as only names are shown",
    "ui-table.png": "a table of the station: its row count, owner and columns",
    "ui-shard.png": "a materialized shard, with its numbers",
    "ui-hours.png": "materialized hours of usage",
    "ui-plots.png": "the numbers of these hours, as plots",
    "ui-check.png": "a failed check, with the numbers that decided it",
    "ui-plan.png": "the plan of a re-rate, before any billed amount changes",
    "ui-sensor.png": "the staleness sensor, and the run that it requested",
}
"""The pictures, and what each shows."""


def save(name: str, screenshot: bytes) -> Path:
    """Save a screenshot in the folder, with a palette instead of true colours, which takes a fourth of the bytes."""
    assert name in PICTURES, f"{name} is not in PICTURES"
    folder = Path(os.environ.get(FOLDER_VARIABLE) or ROOT / "build" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    assert name in CROPPED or picture.size == SIZE, f"{name} has another size: {picture.size}"
    path = folder / name
    picture.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    return path
