"""Example price files: a valid one to edit line by line, a minimal one, and a writer of any content."""

import yaml

VALID = """\
version: 1
base_models:
  base:
    prompt: "0.000004"
    cached: "0.0000004"
    completion: 0.00001
  cheap: {prompt: "0.000000001", cached: "0", completion: "0"}
fine_tune_premium:
  policy: multiplier
  factor: "1.5"
gpu_floor_rates:
  l4: "0.000123"
  a100: 0
fine_tunes:
  ft:derived:
    derived_from: base
  ft:own:
    rate: {prompt: "0.00001", cached: "0.000001", completion: "0.00002"}
  ft:both: {derived_from: cheap, rate: {prompt: "1", cached: "2", completion: "3"}}
  house:
    rate: {prompt: "0.000002", cached: "0.0000002", completion: "0.000002"}
"""


def changed(old: str, new: str, text: str = VALID) -> str:
    """Replace text that must occur exactly once, so that a change of the file cannot make a test pointless."""
    assert text.count(old) == 1, old
    return text.replace(old, new)


def minimal(**rates: str) -> str:
    """A file with one base model ``b``; a rate that is not given is 1."""
    triple = {"prompt": "1", "cached": "1", "completion": "1"} | rates
    return "version: 1\nbase_models:\n  b: {" + ", ".join(f'{name}: "{rate}"' for name, rate in triple.items()) + "}\n"


def as_yaml(content: object) -> str:
    """Write a file as another program would: with every text quoted."""
    written: str = yaml.safe_dump(content, default_style='"', allow_unicode=False, sort_keys=False, width=10_000)
    return written
