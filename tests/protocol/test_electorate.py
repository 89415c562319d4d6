"""How many votes make a right."""

import pytest

from roost_protocol.electorate import Electorate


@pytest.mark.parametrize(
    ("voters", "sticky", "needed"),
    [(1, False, 1), (3, False, 2), (5, False, 3), (2, True, 2), (1, True, 1)],
)
def test_a_majority_is_needed_and_of_a_sticky_site_everybody(voters, sticky, needed):
    indices = tuple(range(voters))
    assert Electorate(1, indices, indices, sticky).needed == needed
