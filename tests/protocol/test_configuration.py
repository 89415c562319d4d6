"""The numbers of configurations."""

from roost_protocol.configuration import GENERATION_BITS, generation, is_later

FILE = 7 << GENERATION_BITS


def test_of_one_file_the_later_change_has_the_greater_number():
    assert is_later(FILE + 2, FILE + 1)
    assert not is_later(FILE + 1, FILE + 1)
    assert not is_later(FILE, FILE + 1)


def test_another_file_is_another_beginning():
    assert not is_later((8 << GENERATION_BITS) + 5, FILE + 1)
    assert (generation(FILE), generation(FILE + 3)) == (0, 3)
