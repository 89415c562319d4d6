"""Profiles with their texts, and what a node should be with the profile that says so."""

import pytest
from fake_profiles import SOURCE

pytestmark = pytest.mark.browser
ROWS = "[...document.querySelectorAll('.profiles tbody tr')].map((row) => row.innerText)"


async def test_profiles_stand_in_order_and_show_their_text_when_it_is_asked_for(console):
    tab = await console.tab("/profiles")
    await tab.wait(f"{ROWS}.length === 2")
    fleet, region = await tab.js(ROWS)
    assert "the whole fleet" in fleet
    assert "region:r01" in region
    link = "document.querySelector('.profiles a.code').getAttribute('href')"
    assert await tab.js(link) == "/?q=region:r01"
    await tab.js("document.querySelector('.profiles summary').click()")
    await tab.wait("document.querySelector('.profiles pre')?.innerText.includes('ntp1')")
    assert await tab.js("document.querySelector('.profiles pre').textContent") == SOURCE
    console.central.profiles.kept.clear()
    await tab.js("document.querySelector('.toolbar button').click()")
    await tab.wait("document.querySelector('main').innerText.includes('No profile counts')")


async def test_a_node_shows_what_it_should_be_and_whose_each_setting_is(console):
    console.central.profiles.desired |= {
        "generation": 3, "since": "2026-11-28T09:00:00Z", "by": "ada", "reason": "new servers",
        "fault": "x: a and b say different things",
        "settings": [{"path": "time.servers", "value": ["ntp1"], "profile": "fleet",
                      "mark": "restart-service", "found": "[]"}],
        "reported": {
            "config": "failed", "why": "chronyd did not start", "applied_generation": 2, "drift": 1,
            "told": "2026-11-28T09:00:00Z", "held_by": "", "pending_reboot": True,
            "report": {
                "received": "2026-11-28T09:00:00Z", "generation": 3, "state": "rolled-back",
                "text": "", "sections": [
                    {"section": "time", "state": "failed", "reason": "no unit chronyd"}],
            },
        },
    }  # fmt: skip
    tab = await console.tab(f"/nodes/{console.fleet.rows[0]['site']}.n1")
    await tab.wait("document.querySelector('.desired tbody tr')")
    text = await tab.js("document.querySelector('.desired').innerText")
    said = (
        "Generation 3", "new servers", "say different things", '["ntp1"]', "fleet",
        "chronyd did not start", "generation 2", "waits for one", "no unit chronyd",
    )  # fmt: skip
    assert [each for each in said if each not in text] == []


async def test_profiles_say_how_far_their_nodes_have_come(console):
    tab = await console.tab("/profiles")
    await tab.wait("document.querySelectorAll('.profiles .delivery').length === 1")
    text = await tab.js("document.querySelector('.profiles .delivery-words').innerText")
    for said in ("8 in sync", "1 failed", "3 held", "2 wait for a reboot", "1 drifted"):
        assert said in text
    label = "document.querySelector('.profiles .delivery-bar').getAttribute('aria-label')"
    assert await tab.js(label) == "Nodes of fleet: 8 in sync, 1 applying, 2 pending, 1 failed"
    link = "document.querySelector('.profiles .delivery-words a').getAttribute('href')"
    assert await tab.js(link) == "/?q=config%3Din-sync+profile%3Dfleet"


async def test_what_differs_is_listed_with_the_two_ways_out(console):
    tab = await console.tab("/drift")
    await tab.wait("document.querySelector('.drift tbody tr')")
    assert '["ntp1"]' in await tab.js("document.querySelector('.drift tbody').innerText")
    await tab.js("document.querySelector('.drift summary').click()")
    await tab.wait("document.querySelector('.drift pre')?.innerText.includes('ntp1')")
    await tab.js("document.querySelector('.drift tbody button').click()")
    await tab.wait("document.querySelector('dialog[open] input')")
    await tab.js("document.querySelector('dialog form').requestSubmit()")
    await tab.wait("document.querySelector('.said').innerText.includes('told again')")
    (path, _) = console.central.profiles.asked[-1]
    assert path == "/api/v1/nodes/edge-00-00.n1/desired:reapply"


async def test_what_a_node_has_is_adopted_after_one_has_seen_what_that_changes(console):
    tab = await console.tab("/drift")
    await tab.wait("document.querySelector('.drift tbody tr')")
    await tab.js("document.querySelector('.drift summary').click()")
    shown = "document.querySelector('.drift details')?.innerText"
    await tab.wait(f"{shown}.includes('one node would change')")
    said = await tab.js("document.querySelector('.drift details').innerText")
    assert 'time.servers from ["ntp1"] to ["ntp2"]' in said
    await tab.js("document.querySelector('.drift details button').click()")
    await tab.wait("document.querySelector('dialog[open] input')")
    await tab.js("document.querySelector('dialog[open] input').focus()")
    await tab.type("it is right")
    await tab.js("document.querySelector('dialog form').requestSubmit()")
    await tab.wait("document.querySelector('.said').innerText.includes('adopted counts')")
    [_, (path, body)] = console.central.profiles.asked
    assert path == "/api/v1/profiles:apply"
    assert (body["expect"], body["reason"]) == (1, "it is right")
    assert body["files"][0]["file"] == "adopted.toml"
    assert tab.complaints == []
