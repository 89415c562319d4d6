"""Local HA on the site's page: who is active and why, who hears whom, what moved."""

import pytest
from fake_central import now_ms
from fake_ha import give

pytestmark = pytest.mark.browser

SECTION = "document.querySelector('section.ha')"
TEXT = f"{SECTION}?.innerText"
CELL = (
    "(a, b) => [...document.querySelectorAll('.ha-matrix tbody tr')]"
    ".find((row) => row.querySelector('th').innerText.startsWith(a))"
    ".querySelectorAll('td')[['n1', 'n2', 'n3'].indexOf(b)].innerText"
)


async def test_a_site_without_local_ha_says_so_with_the_command_that_shows_it(console):
    site = next(row["site"] for row in console.fleet.rows if row["status"] == "ok")
    tab = await console.tab(f"/sites/{site}")
    await tab.wait(f"{TEXT}?.includes('No node of this site takes part in local HA')")
    assert f"roost ha status {site}" in await tab.js(TEXT)
    assert tab.complaints == []


async def test_the_page_says_who_is_active_and_why_and_what_is_wrong(console):
    tab = await console.tab(f"/sites/{give(console)}")
    await tab.wait("document.querySelectorAll('.ha-groups tbody tr').length === 2")
    text = await tab.js(TEXT)
    assert "n2 took web (epoch 33)" in text
    assert "another node is better connected" in text
    assert "n1 is barred" in text, "what the group lacks"
    assert "page failed" in text
    assert "disk full" in text
    assert "finds itself unwell (5 of 8)" in text
    assert "hears no majority" in text
    assert await tab.js("window.owned") is None, "a sentence stays text"
    assert await tab.js(f"{SECTION}.querySelector('h2 .state').innerText.trim()") == "lost"
    assert tab.complaints == []


async def test_the_matrix_names_what_is_not_up_and_by_more_than_a_colour(console):
    tab = await console.tab(f"/sites/{give(console)}")
    await tab.wait("document.querySelector('.ha-matrix')")
    bad = await tab.js(f"({CELL})('n1', 'n2')")
    assert "2 of 4 up" in bad
    assert "down lan-a/n1" in bad.replace("\n", " ")
    assert "oneway-in lan-a/udp" in bad.replace("\n", " ")
    assert "4 of 4 up" in await tab.js(f"({CELL})('n2', 'n1')")
    assert "itself" in await tab.js(f"({CELL})('n3', 'n3')")


async def test_turns_are_bars_with_words_and_a_table(console):
    tab = await console.tab(f"/sites/{give(console)}")
    await tab.wait("document.querySelectorAll('.turns rect').length === 2")
    label = await tab.js("document.querySelector('.turns svg').getAttribute('aria-label')")
    assert label.startswith("2 turns since")
    tips = await tab.js(
        "[...document.querySelectorAll('.turns rect title')].map((e) => e.textContent)"
    )
    assert "at most 50 m 00 s: it told no end" in tips[0]
    assert "active" in tips[1]
    widths = await tab.js(
        "[...document.querySelectorAll('.turns rect')].map((e) => Number(e.getAttribute('width')))"
    )
    assert widths[0] == pytest.approx(800, abs=5)  # of 960: 50 of 60 minutes
    await tab.js("document.querySelector('.turns summary').click()")
    await tab.wait("document.querySelectorAll('.turns tbody tr').length === 2")
    rows = await tab.js(
        "[...document.querySelectorAll('.events tbody tr')].map((e) => e.innerText)"
    )
    assert "n1 silent on 4 of 4 paths" in rows[0]


async def test_a_failover_is_shown_without_a_reload(console):
    site = give(console)
    tab = await console.tab(f"/sites/{site}")
    await tab.wait("document.querySelector('.ha-groups tbody td a')?.innerText === 'n2'")
    give(console, active="n3")
    console.fleet.set(site, heard_ms=now_ms())
    await tab.wait("document.querySelector('.ha-groups tbody td a')?.innerText === 'n3'")


@pytest.mark.parametrize("width", [1440, 860, 390])
async def test_nothing_hangs_over_the_edge_of_the_page(console, width):
    tab = await console.tab(f"/sites/{give(console)}", width=width)
    await tab.wait("document.querySelector('.turns rect')")
    assert await tab.js("document.documentElement.scrollWidth <= window.innerWidth")
