"""Orders on a node's page: placed by a dialog, approved and cancelled by a button."""

import pytest
from test_enrol import DIALOG, fill, send

pytestmark = pytest.mark.browser
ROWS = "[...document.querySelectorAll('.orders tbody tr')].map((row) => row.innerText)"


async def opened(console):
    node = f"{console.fleet.rows[0]['site']}.n1"
    tab = await console.tab(f"/nodes/{node}")
    await tab.wait("document.querySelector('.orders')?.innerText.includes('Nothing was ordered')")
    return tab, node


async def test_an_order_is_placed_with_its_arguments_and_shown(console):
    tab, node = await opened(console)
    await tab.js("document.querySelector('.orders .toolbar button').click()")
    await tab.wait(f"{DIALOG}?.open")
    await fill(tab, "given", "what=alarms")
    assert f"roost node order {node} resync what=alarms" in await tab.js(f"{DIALOG}.innerText")
    await send(tab)
    await tab.wait(f"{ROWS}.length === 1")
    [order] = console.central.orders.kept.values()
    assert (order["verb"], order["given"]) == ("resync", {"what": "alarms"})


async def test_an_order_that_waits_is_approved_or_cancelled(console):
    node = f"{console.fleet.rows[0]['site']}.n1"
    for number in range(2):
        console.central.orders.kept[f"{number:032x}"] = {
            "id": f"{number:032x}", "node": node, "verb": "reboot", "given": {}, "text": "",
            "reason": "new kernel", "state": "pending", "by": "ada", "approved_by": "",
            "changed": "2026-11-28T09:00:00Z",
        }  # fmt: skip
    tab = await console.tab(f"/nodes/{node}")
    await tab.wait(f"{ROWS}.length === 2")
    assert "waits for a second person" in (await tab.js(ROWS))[0]
    await tab.js("document.querySelector('[aria-label=\"Approve reboot\"]').click()")
    await tab.wait("document.querySelectorAll('[aria-label=\"Approve reboot\"]').length === 1")
    await tab.js("document.querySelectorAll('[aria-label=\"Cancel reboot\"]')[1].click()")
    await tab.wait("document.querySelectorAll('[aria-label=\"Cancel reboot\"]').length === 1")
    assert [act for _, act in console.central.orders.acts] == ["approve", "cancel"]
