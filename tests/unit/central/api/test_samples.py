"""Samples of a node over HTTP."""

import math

import pytest

from roost_central.access.core import Grant
from roost_central.samples.desk import Answer, Told
from roost_central.storage import node_samples, nodes, sites
from roost_protocol.codec import VERSION
from roost_protocol.samples import Samples, Series, packed

PATH = "/api/v1/nodes/alpha.n1/samples"


def said(**more):
    raw = packed((1.0, math.nan))
    series = [Series("cpu", "", raw, raw, raw), Series("space", "fs=/", raw, raw, raw)]
    given = {"v": VERSION, "since_ms": 0, "step_s": 600, "steps": 2, "series": series}
    return Samples(**given | more)


@pytest.fixture
def asked(central, clock, monkeypatch):
    """The wishes that reach the desk; ``answer`` is what it says."""
    wishes, box = [], {"answer": Answer(Told(said(left_out=2), clock.wall_ms() - 4_000))}

    async def fetch(node, wish):
        wishes.append((node, wish))
        return box["answer"]

    monkeypatch.setattr(central.api.samples, "fetch", fetch)
    return wishes, box


@pytest.fixture
async def kept(central, clock):
    async with central.database.write() as connection:
        await sites.save(connection, [sites.SiteRecord("alpha", 1, {}, None, None, 1, 1)])
        await nodes.save(connection, [nodes.NodeRecord("alpha.n1", "alpha", "n1", 1)])
        await node_samples.save(
            connection, {"alpha.n1": said()}, received_ms=clock.wall_ms() - 9_000
        )


async def test_a_node_that_is_heard_is_asked_and_gaps_are_null(get, asked):
    status, found = await get(PATH)
    assert status == 200
    assert (found["origin"], found["why"], found["age_s"], found["left_out"]) == ("node", "", 4, 2)
    assert found["series"][0] == {
        "series": "cpu", "kind": "cpu", "of": "", "unit": "%",
        "low": [1.0, None], "mean": [1.0, None], "high": [1.0, None],
    }  # fmt: skip
    assert found["series"][1]["series"] == "space|fs=/"
    ((node, wish),) = asked[0]
    assert node == "alpha.n1"
    assert (wish.until_ms - wish.since_ms) % (wish.step_s * 1000) == 0
    assert 24 * 3600 <= (wish.until_ms - wish.since_ms) // 1000 <= 24 * 3600 + 2 * wish.step_s
    assert wish.step_s == 900


async def test_the_same_question_within_a_step_is_the_same_wish(get, asked, clock):
    await get(PATH, since="1h", step_s="300", series="space|fs=/,cpu")
    clock.now_ms += 1_000
    await get(PATH, since="1h", step_s="300", series="cpu,space|fs=/")
    assert asked[0][0] == asked[0][1]
    assert asked[0][0][1].series == ("cpu", "space|fs=/")


@pytest.mark.usefixtures("kept")
async def test_of_a_node_that_is_silent_the_last_day_is_shown_and_nobody_is_asked(get, asked, view):
    view.nodes["alpha.n1"].presence = "unreachable"
    _, found = await get(PATH, series="cpu")
    assert (found["origin"], found["age_s"]) == ("kept", 9)
    assert found["why"] == "the node is unreachable: this is what it told before"
    assert [each["series"] for each in found["series"]] == ["cpu"]
    assert asked[0] == []


@pytest.mark.usefixtures("kept")
async def test_one_that_does_not_answer_is_shown_as_it_told_by_itself(get, asked):
    asked[1]["answer"] = Answer(None, "it did not answer within 10 s")
    _, found = await get(PATH)
    assert (found["origin"], found["why"]) == ("kept", "it did not answer within 10 s")


async def test_nothing_is_said_as_nothing(get, view):
    view.nodes["alpha.n1"].presence = "unknown"
    _, found = await get(PATH)
    assert (found["origin"], found["series"], found["as_of"]) == ("none", [], None)


async def test_a_node_in_quarantine_is_not_asked(get, asked, view):
    view.nodes["alpha.n1"].quarantine = "clone"
    _, found = await get(PATH)
    assert "quarantine" in found["why"]
    assert asked[0] == []


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"since": "25h1m"}, "times or spans"),
        ({"since": "3d"}, "at most 24h"),
        ({"since": "1h", "until": "2h"}, "the first before the second"),
        ({"step_s": "90"}, "a multiple of 60"),
        ({"series": "cpu,mood"}, "'mood' is none of cpu"),
        ({"series": ",".join(f"space|fs=/{n}" for n in range(33))}, "at most 32"),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_its_bound(get, params, words):
    status, found = await get(PATH, **params)
    assert (status, found["code"]) == (400, "bad-parameter")
    assert words in found["detail"]


async def test_of_a_site_out_of_scope_there_is_nothing(central, person, asked):
    who = await person("regional", Grant("viewer", "region:r02"))  # alpha is not there
    async with central.client.get(PATH, headers=who) as answer:
        assert answer.status == 404
    assert asked[0] == []
