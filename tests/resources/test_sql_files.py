"""SQL statements are loaded from the folder sql beside the code."""

import pytest

from resources import sql_files


def test_a_statement_is_loaded_as_the_bytes_of_its_file():
    statement = sql_files.load("resources.embedded_postgres", "select_data_directory")
    assert statement.startswith(b"-- select_data_directory: ")
    assert statement.rstrip().endswith(b"SELECT current_setting('data_directory')")


def test_a_missing_file_is_an_error():
    with pytest.raises(FileNotFoundError, match=r"sql/no_such_statement\.sql"):
        sql_files.load("resources", "no_such_statement")
