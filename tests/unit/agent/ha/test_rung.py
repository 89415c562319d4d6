import pytest

from roost_agent.ha.rung import Ladder, ladder


def test_a_ladder_is_read():
    assert ladder(("restart:3/600", "failover", "reboot")) == Ladder(
        3, 600_000, ("failover", "reboot")
    )


def test_no_ladder_is_one_without_rungs():
    assert ladder(()) == Ladder(0, 0, ())


@pytest.mark.parametrize(
    "texts",
    [
        ("restart",),
        ("restart:3",),
        ("restart:0/1",),
        ("restart:101/1",),
        ("restart:1/0",),
        ("restart:1/86401",),
        ("failover:1",),
        ("failover", "failover"),
        ("failover", "restart:1/1"),
    ],
)
def test_what_is_no_ladder_is_refused(texts):
    with pytest.raises(ValueError, match="must be"):
        ladder(texts)
