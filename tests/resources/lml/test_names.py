"""Names are decoded by one level, and two spellings of a name fold to one form."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.lml.names import decoded, folded


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Rock &amp; Roll", "Rock & Roll"),
        ("Sigur R&oacute;s", "Sigur Rós"),
        ("Sigur R&#243;s", "Sigur Rós"),
        ("Sigur R&#xF3;s", "Sigur Rós"),
        ("&quot;Heroes&quot;", '"Heroes"'),
        ("&amp;amp;", "&amp;"),
        ("&amp;eacute;", "&eacute;"),
        ("Drums &notes", "Drums &notes"),
        ("&notit;", "&notit;"),
        ("&nonsense;", "&nonsense;"),
        ("AT&T; &", "AT&T; &"),
        ("&#0;&#xD800;&#1114112;", "\N{REPLACEMENT CHARACTER}" * 3),
        ("&#" + "0" * 5000 + "65;", "A"),
        ("&#" + "9" * 5000 + ";", "&#" + "9" * 5000 + ";"),
        ("&#x" + "F" * 5000 + ";", "&#x" + "F" * 5000 + ";"),
        ("", ""),
    ],
)
def test_entities_are_decoded_by_one_level(text, asked):
    assert decoded(text) == asked


@given(st.text())
def test_decoding_undoes_one_level_of_escaping(text):
    assert decoded(html.escape(text)) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Beyoncé", "BEYONCE"),
        ("Beyoncé", "Beyonce\u0301"),
        ("Rock & Roll!", "rock   roll"),
        ("Vol. 1", "vol_1"),
        ("İstanbul", "istanbul"),
        (" A-ha ", "a ha"),
    ],
)
def test_spellings_of_a_name_fold_to_one_form(one, other):
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("!!!", "???"), ("はか", "ばか"), ("हिन्दी", "हन्दी"), ("Vol 1", "Vol 11"), ("AB", "A B"), ("…", "-")],
)
def test_different_names_stay_different(one, other):
    assert folded(one) != folded(other)


@given(st.text())
def test_folding_is_stable(text):
    assert folded(folded(text)) == folded(text)
