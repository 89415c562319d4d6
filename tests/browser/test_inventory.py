"""The inventory page: items of a class, a search, and the life of a part."""

import pytest
from fake_inventory import HOSTILE

pytestmark = pytest.mark.browser
ROWS = "[...document.querySelectorAll('main tbody tr')].map((row) => row.innerText)"


async def test_the_items_of_a_class_are_shown_with_their_starred_fields_and_reasons(console):
    tab = await console.tab("/inventory")
    await tab.wait(f"{ROWS}.length === 2")
    first, second = await tab.js(ROWS)
    assert "edge-1.n1" in first
    assert "denied" in first
    assert HOSTILE in second
    await tab.js("document.querySelector('[name=where]').focus()")
    await tab.type("driver=i40e")
    await tab.press("Enter")
    await tab.wait(f"{ROWS}.length === 1")
    assert await tab.js("new URLSearchParams(location.search).get('where')") == "driver=i40e"
    assert "roost inventory list nic driver=i40e" in await tab.js("document.body.innerText")
    assert tab.complaints == []


async def test_a_part_is_found_and_followed(console):
    tab = await console.tab("/inventory")
    await tab.wait("document.querySelector('[name=text]')")
    await tab.js("document.querySelector('[name=text]').focus()")
    await tab.type("S4EVNX0R")
    await tab.press("Enter")
    await tab.wait(f"{ROWS}.length === 1 && {ROWS}[0].includes('S4EVNX0R')")
    await tab.js("document.querySelector('main tbody td a').click()")
    await tab.wait("document.querySelectorAll('main .diff > li').length === 3")
    said = await tab.js("document.querySelector('main').innerText")
    assert "Now in edge-1.n1." in said
    assert "was taken out of edge-2.n1" in said
    assert HOSTILE in said
    assert "roost inventory part disk eui.1" in said
    assert tab.complaints == []


async def test_a_search_that_finds_nothing_says_what_was_sought_and_what_to_ask_instead(console):
    tab = await console.tab("/inventory?text=NOTHING")
    await tab.wait("document.querySelector('main [role=status]')")
    said = await tab.js("document.querySelector('main').innerText")
    assert "no part in the fleet is NOTHING" in said
    assert "inv.disk.serial:*TEXT*" in said


@pytest.mark.parametrize("width", [390, 1440])
async def test_an_address_is_never_broken_and_the_page_is_no_wider_than_the_screen(console, width):
    tab = await console.tab("/inventory", width=width)
    await tab.wait(f"{ROWS}.length === 2")
    cells = "[...document.querySelectorAll('main td')]"
    mac = f"{cells}.find((cell) => cell.innerText === 'b8:83:03:00:00:01')"
    await tab.js(f"window.range = document.createRange(), range.selectNodeContents({mac}), 0")
    assert await tab.js("range.getClientRects().length") == 1, "lines of text"
    assert await tab.js("document.documentElement.scrollWidth <= innerWidth")
    inputs = "[...document.querySelectorAll('main input')]"
    edges = f"{inputs}.map((each) => each.getBoundingClientRect())"
    assert await tab.js(f"{edges}.every((box) => box.left >= 0 && box.right <= innerWidth)")
    assert await tab.js(f"Math.min(...{edges}.map((box) => box.width)) > 100")
