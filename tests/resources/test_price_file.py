"""A price file from the disk: bounded in size, with its digest, and refused with all of its problems."""

import hashlib
import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from resources.price_file import MAX_BYTES, MAX_LISTED, PriceFileError, read
from resources.yaml_text import Problem, Refused


def test_the_digest_is_of_the_bytes(tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_bytes(b"version: 1\r\n")
    file = read(path)
    assert (file.path, file.problems) == (path, ())
    assert file.digest == hashlib.sha256(b"version: 1\r\n").hexdigest()


def test_a_file_that_is_no_yaml_has_a_digest(tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_bytes(b"\xff")
    file = read(path)
    assert file.digest == hashlib.sha256(b"\xff").hexdigest()
    assert isinstance(file.root, Refused)
    assert len(file.problems) == 1


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing.yaml", "cannot be read: No such file or directory"),
        (".", "cannot be read: Is a directory"),
        ("a\0b", "cannot be read: embedded null byte"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_which(tmp_path, path, reason):
    with pytest.raises(PriceFileError) as refused:
        read(tmp_path / path)
    assert refused.value.problems == [reason]
    assert refused.value.digest is None
    assert str(refused.value) == f"price file {tmp_path / path} cannot be used:\n  - {reason}"


def link_to_fifo(path: Path) -> None:
    os.mkfifo(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


@pytest.mark.parametrize("make", [os.mkfifo, link_to_fifo])
def test_a_fifo_is_refused_and_never_waited_for(tmp_path, make):
    """It has no writer: a run that opened it would wait for ever, with its locks."""
    make(tmp_path / "prices.yaml")
    with pytest.raises(PriceFileError, match="is no regular file, but a pipe or a device"):
        read(tmp_path / "prices.yaml")


def test_a_device_without_an_end_is_refused():
    with pytest.raises(PriceFileError, match="is no regular file"):
        read(Path("/dev/zero"))


@contextmanager
def as_nobody():
    """Give up root's right to read everything, for the block; other accounts do not have it."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_file_without_permission_says_so(tmp_path):
    path = tmp_path / "prices.yaml"
    path.touch(mode=0o000)
    with as_nobody(), pytest.raises(PriceFileError, match="cannot be read: Permission denied"):
        read(path)


def test_a_file_may_be_as_large_as_the_bound_and_no_larger(tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_bytes(b"#" * MAX_BYTES)
    assert read(path).problems == (Problem(None, "the file is empty"),)
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(PriceFileError, match=f"is larger than {MAX_BYTES} bytes"):
        read(path)


def test_the_message_lists_some_and_the_error_holds_all():
    violations = [Problem(line, "is wrong") for line in range(1, 200)]
    error = PriceFileError(Path("p.yaml"), violations, "digest")
    assert len(error.problems) == len(error.violations) == 199
    assert error.problems[198] == "line 199: is wrong"
    assert str(error).splitlines()[-2:] == [
        f"  - line {MAX_LISTED}: is wrong",
        f"  - and {199 - MAX_LISTED} more; `wxyc prices check` lists them all",
    ]
