"""Each package says in two sentences what belongs in it and what does not."""

import ast
import re

import pytest

from tests.processes import ROOT

PACKAGES = sorted(path.parent for path in (ROOT / "wxyc_assets").glob("*/__init__.py"))
PACKAGES += [ROOT / "resources", ROOT / "sensors"]
DOES_NOT_BELONG = re.compile(r"\b(no|not|nothing|belongs?)\b", re.IGNORECASE)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_package_says_what_belongs_in_it_and_what_does_not(package):
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    sentences = re.findall(r"\S.*?\.(?=\s|$)", docstring, re.DOTALL)
    assert len(sentences) == 2, docstring
    assert DOES_NOT_BELONG.search(sentences[1]), sentences[1]
