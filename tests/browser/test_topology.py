"""What a site's nodes are plugged into: a picture for the eye, and a table with all of it."""

import pytest

pytestmark = pytest.mark.browser
ROWS = "[...document.querySelectorAll('.topology tbody tr')].map((row) => row.innerText)"
PICTURE = "document.querySelector('.topology svg')"


async def shown(console, **size):
    tab = await console.tab(f"/sites/{console.fleet.rows[0]['site']}", **size)
    await tab.wait("document.querySelector('.topology .quiet')")
    return tab


async def test_each_cable_is_in_the_table_and_the_picture_says_how_many(console):
    tab = await shown(console)
    first, _, third = await tab.js(ROWS)
    for said in (
        "eno1",
        "10 Gbit/s",
        "sw1-",
        "bridge",
        "GigabitEthernet1/0/1",
        "20 voice",
        "one end",
    ):
        assert said in first
    assert "both ends" in third
    names = await tab.js(f"{PICTURE}.getAttribute('aria-labelledby').split(' ')"
                         ".map((id) => document.getElementById(id).textContent)")  # fmt: skip
    assert names[0].startswith("Topology of ")
    assert "3 cables between 3 nodes and 1 other devices" in " ".join(names[1].split())
    assert await tab.js(f"{PICTURE}.querySelectorAll('.cable').length") == 3
    assert await tab.js(f"{PICTURE}.querySelectorAll('.cable.sure').length") == 1
    text = await tab.js("document.querySelector('.topology').innerText")
    assert "Tells no neighbours: n3 denied" in " ".join(text.split())


async def test_where_nobody_was_heard_the_page_says_who_does_not_listen(console):
    console.central.topology.is_empty = True
    tab = await shown(console)
    text = await tab.js("document.querySelector('.topology').innerText")
    assert "No neighbour was heard" in text
    assert await tab.js(f"{PICTURE} === null")


async def test_a_phone_reads_the_table_without_turning_the_page(console):
    tab = await shown(console, width=390)
    assert await tab.js("document.documentElement.scrollWidth <= innerWidth")


async def test_ports_and_boxes_of_the_picture_do_not_lie_on_each_other(console):
    tab = await shown(console)
    overlaps = await tab.js(f"""(() => {{
      const all = [...{PICTURE}.querySelectorAll('rect')];
      const boxes = all.map((each) => each.getBoundingClientRect());
      return boxes.some((a, i) => boxes.some((b, j) => i < j && a.left < b.right && b.left < a.right
        && a.top < b.bottom && b.top < a.bottom));
    }})()""")
    assert overlaps is False
