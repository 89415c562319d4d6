"""Whose power is read by the coordinator, and how often."""

from roost_agent.host.around import Power
from roost_agent.host.moment import Moment
from roost_agent.host.power import AGAIN_MS, Powers


class Stage:
    """n1, whose turn it is, and the controllers that it asks."""

    def __init__(self):
        self.ms, self.epoch = 1_000_000, 7
        self.silent, self.reads, self.asked, self.told = [], {}, [], []
        self.powers = Powers(self, self, self, lambda: Moment(self.ms, self.ms))

    def turn(self):
        return self.epoch

    def out(self):
        return self.silent

    def powered(self, node, read, now):
        self.told.append((node, read.is_on, now.ms))

    def power(self, node):
        return self.reads.get(node)

    def look_at_power(self, node):
        self.asked.append(node)

    def look(self, after_ms=1_000):
        self.ms += after_ms
        self.powers.look()


def test_the_power_of_a_host_that_is_out_is_read_at_once_and_then_seldom():
    stage = Stage()
    stage.look()
    stage.silent = ["n2"]
    stage.look()
    assert stage.asked == ["n2"]
    stage.look(AGAIN_MS - 1)
    assert stage.asked == ["n2"]
    stage.look(1)
    assert stage.asked == ["n2", "n2"]


def test_who_is_back_and_out_again_is_read_at_once_again():
    stage = Stage()
    for silent in (["n2"], [], ["n2"]):
        stage.silent = silent
        stage.look()
    assert stage.asked == ["n2", "n2"]


def test_what_was_read_is_told():
    stage = Stage()
    stage.silent, stage.reads["n2"] = ["n2", "n3"], Power(is_on=False, at_ms=5)
    stage.look()
    assert stage.told == [("n2", False, stage.ms)]


def test_nobody_is_asked_in_the_turn_of_another_and_all_in_ones_own():
    stage = Stage()
    stage.silent, stage.epoch = ["n2"], None
    stage.look()
    assert (stage.asked, stage.told) == ([], [])
    stage.epoch = 8
    stage.look()
    assert stage.asked == ["n2"]
