"""Steps from minutes."""

import math
import struct

import pytest

from roost_agent.host.samples.ring import Part
from roost_agent.host.samples.rollup import samples, window
from roost_protocol.codec import encode
from roost_protocol.limits import BODY_BYTES_MAX, SAMPLE_SERIES_MAX, SAMPLE_STEPS_MAX
from roost_protocol.samples import unpacked


def part(rows, series=("cpu",)):
    form = f"<I{3 * len(series)}e"
    return Part(list(series), b"".join(struct.pack(form, *row) for row in rows))


def shown(found, name="cpu"):
    each = next(each for each in found.series if each.name == name)
    return [
        None if math.isnan(mean) else (low, mean, high)
        for low, mean, high in zip(*map(unpacked, (each.low, each.mean, each.high)), strict=True)
    ]


def test_a_step_has_the_extremes_of_its_minutes_and_the_mean_of_their_means():
    parts = [part([(0, 1, 2, 3), (9, 0, 4, 40)]), part([(10, 5, 5, 5)])]
    found = samples(parts, window(0, 1_800_000, 600), ())
    assert (found.since_ms, found.step_s, found.steps) == (0, 600, 3)
    assert shown(found) == [(0, 3, 40), (5, 5, 5), None]
    found.check()


def test_steps_begin_at_multiples_of_their_length_and_cover_what_was_asked():
    wanted = window(61_000, 1_300_000, 600)
    assert (wanted.minute, wanted.step, wanted.steps) == (0, 10, 3)
    assert window(600_000, 600_000, 60).steps == 0
    assert window(5, 1, 60).steps in (0, 1)
    assert window(0, 2**53, 60).steps == SAMPLE_STEPS_MAX


def test_minutes_outside_and_values_that_nobody_measured_count_for_nothing():
    nan = math.nan
    parts = [part([(5, nan, nan, nan), (6, 1, 1, 1), (4_000_000, 9, 9, 9)])]
    assert shown(samples(parts, window(300_000, 420_000, 60), ())) == [None, (1, 1, 1)]
    assert samples([part([(5, nan, nan, nan)])], window(0, 600_000, 60), ()).series == []


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ((), ["cpu", "space|fs=/", "space|fs=/var"]),
        (("space",), ["space|fs=/", "space|fs=/var"]),
        (("space|fs=/var", "cpu"), ["cpu", "space|fs=/var"]),
        (("fan",), []),
    ],
)
def test_series_are_asked_for_by_name_or_by_kind(asked, names):
    series = ("space|fs=/", "cpu", "space|fs=/var", "nonsense")
    rows = [(0, *range(12))]
    found = samples([part(rows, series)], window(0, 60_000, 60), asked)
    assert [each.name for each in found.series] == names


def test_one_message_holds_what_it_can_and_says_what_it_left_out():
    series = [f"space|fs=/{number}" for number in range(SAMPLE_SERIES_MAX)]
    rows = [(minute, *([1.0] * 3 * len(series))) for minute in range(3)]
    found = samples([part(rows, series)], window(0, SAMPLE_STEPS_MAX * 60_000, 60), (), ask=3)
    assert found.left_out + len(found.series) == SAMPLE_SERIES_MAX
    assert len(found.series) > 15
    assert len(encode(found)) < BODY_BYTES_MAX
    assert found.ask == 3
