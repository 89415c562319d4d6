"""What stands above every page: it keeps its height, folds on a telephone, and works by keys."""

import pytest

pytestmark = pytest.mark.browser

HEIGHT = "document.querySelector('.top').getBoundingClientRect().height"
MORE = "document.querySelector('.more button')"
WORD = f"{MORE}.textContent.trim().split(/[^A-Za-z]+/)"
BEHIND = "document.querySelector('#more-pages').checkVisibility()"
BESIDE = "[...document.querySelectorAll('.pages > a')].map((a) => a.innerText)"


def storm(console):
    """Raise enough for a flood, with an incident and alarms that are put aside and masked."""
    alarms = console.central.alarms
    sites = [row["site"] for row in console.fleet.rows]
    alarms.incident("INC-1", sites[:200])
    rows = [row.answer for row in alarms.rows.values()]
    for row in rows[:40]:
        row["masked_by"] = "another"
    rows[41] |= {"shelf": {"id": "S", "by": "jd", "reason": "lab", "until": rows[0]["raised"]}}
    alarms.raise_alarm("100.101", sites[0])


@pytest.mark.parametrize("width", [1280, 1440])
async def test_a_flood_moves_nothing_on_the_page(console, width):
    tab = await console.tab("/events", width=width)
    await tab.wait("document.querySelector('.alarm-counts .count')")
    before = await tab.js(HEIGHT)
    storm(console)
    await tab.wait("document.querySelector('.flood')")
    assert await tab.js(HEIGHT) == before
    assert before < 100


async def test_on_a_telephone_the_head_leaves_the_page_the_room(console):
    tab = await console.tab(width=400, height=860)
    storm(console)
    await tab.wait("document.querySelector('.flood')")
    assert await tab.js(HEIGHT) < 860 / 4
    assert await tab.js(BESIDE) == []
    assert await tab.js(WORD) == ["Menu", "Fleet"]
    await tab.js(f"{MORE}.click()")
    await tab.wait(BEHIND)
    assert await tab.js("document.querySelectorAll('#more-pages a').length") == 14
    assert await tab.js("document.documentElement.scrollWidth") <= 400
    await tab.js("document.querySelector('#more-pages a[href=\"/audit\"]').click()")
    await tab.wait("location.pathname === '/audit'")
    await tab.wait(f"!{BEHIND}")


async def test_the_rarer_pages_are_behind_one_button_that_keys_open_and_close(console):
    tab = await console.tab("/audit")
    assert len(await tab.js(BESIDE)) == 8
    assert await tab.js(WORD) == ["More", "Audit"]
    await tab.js(f"{MORE}.focus()")
    await tab.press("Enter")
    await tab.wait(BEHIND)
    await tab.press("Tab")
    assert await tab.js("document.activeElement.closest('#more-pages') !== null")
    await tab.press("Escape")
    await tab.wait(f"!{BEHIND}")
    assert await tab.js(f"document.activeElement === {MORE}")
    await tab.press("Enter")
    await tab.wait(BEHIND)
    await tab.js("document.querySelector('.brand').focus()")
    await tab.wait(f"!{BEHIND}")


async def test_cells_are_large_where_there_is_room(console):
    """A fleet that leaves the grid half empty is drawn larger; on a telephone cells can be hit."""
    for width, height, least in ((1440, 900, 12), (400, 860, 14)):
        tab = await console.tab(width=width, height=height)
        await tab.wait("document.querySelector('.heat canvas').height > 200")
        await tab.js("document.querySelector('.heat canvas').focus()")
        ring = "document.querySelector('.heat-ring')"
        await tab.wait(ring)
        assert await tab.js(f"{ring}.offsetWidth") >= least
        await tab.close()
