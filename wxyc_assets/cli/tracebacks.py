"""Prints the traceback of a defect, without secrets: exceptions quote what they were given."""

import sys
import traceback
from types import TracebackType

from resources.secrets import Secrets


def print_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print it to stderr; the signature is that of ``sys.excepthook``."""
    text = "".join(traceback.format_exception(kind, error, trace))
    sys.stderr.write(Secrets.of().redactor().text(text))
    sys.stderr.flush()
