"""The part of the program ``jq`` that the runbook uses, on the libjq of the package jq, for machines without the program.

Reads one JSON document a line from stdin, or with ``-s`` all of them at once, and prints one result a line.
"""

import argparse
import json
import sys

import jq


def main() -> None:
    parser = argparse.ArgumentParser(prog="jq", allow_abbrev=False)
    parser.add_argument("-c", dest="compact", action="store_true")
    parser.add_argument("-r", dest="raw", action="store_true")
    parser.add_argument("-s", dest="slurp", action="store_true")
    parser.add_argument("--unbuffered", action="store_true")
    parser.add_argument("program")
    asked = parser.parse_args()
    program = jq.compile(asked.program)
    if asked.slurp:
        answers = iter(program.input_text(sys.stdin.read(), slurp=True))
    else:
        answers = (answer for line in sys.stdin for answer in program.input_text(line))
    for answer in answers:
        indent = None if asked.compact else 2
        text = answer if asked.raw and isinstance(answer, str) else json.dumps(answer, indent=indent)
        sys.stdout.write(f"{text}\n")
        if asked.unbuffered:
            sys.stdout.flush()


if __name__ == "__main__":
    main()
