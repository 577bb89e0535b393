"""Programs on a pseudo-terminal: what they write, and what an emulated screen would show."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.processes import running

AMPLE_S = 120.0
POLL_S = 0.1
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m")
"""A sequence that sets a colour."""

_SEQUENCE = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])")


class PseudoTerminal:
    """The terminal of one program. ``written`` is everything that it has written so far."""

    def __init__(self, master: int) -> None:
        self._master = master
        self._chunks: list[bytes] = []
        self._closing = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.exit_code: int | None = None

    @property
    def written(self) -> str:
        return b"".join(self._chunks).decode(errors="replace")

    @property
    def lines(self) -> list[str]:
        """The lines that are on the screen and above it, without what was erased."""
        return screen_of(self.written)

    def wait_for(self, text: str, timeout_s: float = AMPLE_S) -> None:
        """Wait until the program has written a text."""
        deadline = time.monotonic() + timeout_s
        while text not in self.written:
            assert time.monotonic() < deadline, f"{text!r} is not in {self.written!r}"
            time.sleep(0.02)

    def resize(self, rows: int, columns: int) -> None:
        """Give the terminal another size, as its window would; the kernel tells the program."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys: str) -> None:
        """Type, for example Ctrl-C as ``\\x03``."""
        os.write(self._master, keys.encode())

    def close(self) -> None:
        """Close the terminal, as its window would; the kernel sends the hangup."""
        if not self._closing.is_set():
            self._closing.set()
            self._reader.join(AMPLE_S)  # a read that waits would keep the terminal open
            os.close(self._master)

    def read_to_end(self) -> None:
        self._reader.join(AMPLE_S)
        assert not self._reader.is_alive(), "a process still holds the terminal"

    def _read(self) -> None:
        while not self._closing.is_set():
            if not select.select([self._master], [], [], POLL_S)[0]:
                continue
            try:
                chunk = os.read(self._master, 65536)
            except OSError:  # the last process has closed the terminal
                return
            if not chunk:
                return
            self._chunks.append(chunk)


@contextmanager
def on_a_terminal(
    command: Sequence[str | Path], environ: dict[str, str], *, rows: int = 40, columns: int = 100
) -> Iterator[PseudoTerminal]:
    """Run a program with a terminal as its stdin, stdout and stderr; its whole session ends with the block."""
    master, slave = pty.openpty()
    terminal = PseudoTerminal(master)
    terminal.resize(rows, columns)
    streams = {"stdin": slave, "stdout": slave, "stderr": slave}
    try:
        with running(command, env=environ, preexec_fn=lambda: _adopt(slave), **streams) as process:
            os.close(slave)
            yield terminal
            terminal.exit_code = process.wait(AMPLE_S)
            terminal.read_to_end()
    finally:
        terminal.close()


def finished(command: Sequence[str | Path], environ: dict[str, str], **size: int) -> PseudoTerminal:
    """Run a program on a terminal to its end."""
    with on_a_terminal(command, environ, **size) as terminal:
        pass
    return terminal


def screen_of(written: str) -> list[str]:
    """Return the lines that a terminal of endless height shows, with the sequences that progress bars use."""
    screen, row, column = [""], 0, 0
    position = 0
    while position < len(written):
        if sequence := _SEQUENCE.match(written, position):
            position = sequence.end()
            count = int(sequence[1]) if sequence[1].isdigit() else 1
            match sequence[2]:
                case "A":
                    row = max(0, row - count)
                case "K":
                    screen[row] = "" if sequence[1] == "2" else screen[row][:column]
            continue
        sign, position = written[position], position + 1
        if sign == "\r":
            column = 0
        elif sign == "\n":
            row += 1
            screen += [""] * (row + 1 - len(screen))
        elif sign.isprintable():
            screen[row] = screen[row][:column].ljust(column) + sign + screen[row][column + 1 :]
            column += 1
    return [line.rstrip() for line in screen]


def _adopt(slave: int) -> None:
    """Make the terminal the one that controls the new session, so that Ctrl-C reaches the program."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
