"""The codec ``idna`` says what the library's says, of every name."""

import encodings.idna

import pytest

from roost_agent import ascii_names

LIBRARY = encodings.idna.getregentry()


def said(spell, name):
    try:
        return spell(name)
    except UnicodeError:
        return "refused"


@pytest.mark.parametrize(
    "name",
    [
        "a", "broker.example", "Broker.Example.", "127.0.0.1", "::1", "a_b", "x" * 63, "x" * 64,
        "", ".", "a..b", ".a", "a.", "a..", f"{'x' * 63}x.a",
        "b\u00fccher.example", "\u3002", "a\u3002b",
    ],
)  # fmt: skip
def test_a_name_is_spelled_as_the_library_spells_it(name):
    assert said(ascii_names._spell, name) == said(LIBRARY.encode, name)


def test_a_spelled_name_is_read_back():
    assert ascii_names._read(b"xn--bcher-kva.example")[0] == "b\u00fccher.example"
