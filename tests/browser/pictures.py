"""The pictures that the stories take, under the names that the README shows them by."""

import io
import os
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]

FOLDER_VARIABLE = "WXYC_PICTURES"
"""The folder that pictures are put into; unset: build/screenshots."""

SIZE = (1440, 900)
"""Of the browser, and so of a picture, in pixels. A page that needs more room is taken larger, in the same shape."""

LARGEST = (1920, 1200)
"""Larger pictures are scaled down to this."""

PICTURES = {
    "ui-graph.png": "the graph, its groups open",
    "ui-table.png": "a table of the station's: its row count, owner and columns",
    "ui-shard.png": "a shard that was materialized, with its numbers",
    "ui-hours.png": "hours of usage, credited one by one",
    "ui-plots.png": "their numbers, plotted hour by hour",
    "ui-check.png": "a check that failed, and the numbers it was decided on",
    "ui-plan.png": "the plan of a re-rate, before any money is moved",
    "ui-sensor.png": "the staleness sensor, and the run that it asked for",
}
"""Each picture, and what it shows."""


def save(name: str, screenshot: bytes) -> Path:
    """Put a screenshot into the folder, with a palette instead of true colours: a fourth of the bytes."""
    assert name in PICTURES, f"{name} is no picture of ours"
    folder = Path(os.environ.get(FOLDER_VARIABLE) or ROOT / "build" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    assert picture.width * SIZE[1] == picture.height * SIZE[0], f"{name} is out of shape: {picture.size}"
    path = folder / name
    if picture.size > LARGEST:
        picture = picture.resize(LARGEST, Image.Resampling.LANCZOS)
    picture.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    return path
