"""What is told of the last hour without having been asked for."""

from roost_agent.host.samples.summary import SERIES_MAX, chosen
from roost_protocol.codec import VERSION, pack
from roost_protocol.samples import Samples, Series, packed


def series(name, *values):
    kind, _, of = name.partition("|")
    return Series(kind, of, *[packed(values)] * 3)


def said(*found):
    return Samples(v=VERSION, since_ms=0, step_s=600, steps=2, series=list(found), left_out=9)


def names(found):
    return [each.name for each in chosen(said(*found)).series]


def test_the_node_is_told_with_its_fullest_file_system_and_its_hottest_sensor():
    nan = float("nan")
    found = [
        series("cpu", 1, 2), series("memory", 50, 51), series("memory|numa=0", 99, 99),
        series("load", 1, 1), series("pressure|resource=io", 1, 1), series("fan|sensor=f", 9, 9),
        series("space|fs=/", 40, 41), series("space|fs=/var", nan, 90), series("swap", 0, 0),
        series("temperature|sensor=a", 50, 50), series("temperature|sensor=b", -4, 20),
    ]  # fmt: skip
    assert names(found) == [
        "cpu", "memory", "load", "pressure|resource=io", "space|fs=/var", "temperature|sensor=a",
    ]  # fmt: skip
    assert names([series("swap", 0, 3)]) == ["swap"]


def test_it_is_short_whatever_a_node_has():
    many = [series(f"pressure|resource=r{number}", *range(6)) for number in range(100)]
    short = chosen(said(*many))
    assert len(short.series) == SERIES_MAX
    assert short.left_out == 0
    body, _ = pack(short)
    assert len(body) < 600


def test_nothing_measured_is_nothing_told():
    assert chosen(said()) is None
