"""A node's identity on its page: quarantine, its end, and the next box in the slot."""

import pytest
from fake_alarms import instant, now_ms
from test_enrol import DIALOG, fill, send

pytestmark = pytest.mark.browser
BUTTON = "[...document.querySelectorAll('.identity button')].find((b) => b.innerText === '{}')"


async def opened(console, *, held=""):
    node = f"{console.fleet.rows[0]['site']}.n1"
    console.central.enrol.enrolled.add(node)
    if held:
        since = instant(now_ms() - 60_000)
        console.fleet.quarantine[node] = {"cause": "clone", "reason": held, "since": since}
    tab = await console.tab(f"/nodes/{node}")
    await tab.wait("document.querySelectorAll('.generations tbody tr').length === 1")
    return tab, node


async def press(tab, label):
    await tab.js(f"{BUTTON.format(label)}.click()")
    await tab.wait(f"{DIALOG}?.open")


async def test_a_node_in_quarantine_says_so_and_is_let_out_with_a_reason(console):
    tab, node = await opened(console, held="two boxes use one identity")
    note = await tab.js("document.querySelector('.quarantine').innerText")
    assert "In quarantine" in note
    assert "two boxes use one identity" in note
    site = await console.tab(f"/sites/{node.partition('.')[0]}")
    await site.wait("document.querySelector('main').innerText.includes('in quarantine')")
    await press(tab, "Let out of quarantine")
    await fill(tab, "reason", "the other one is off")
    assert "roost node release" in await tab.js(f"{DIALOG}.querySelector('code').innerText")
    await send(tab)
    await tab.wait(f"!!{BUTTON.format('Put in quarantine')}")
    assert console.central.enrol.acts == [("release", node, {"reason": "the other one is off"})]


async def test_what_a_node_said_in_quarantine_is_shown_apart(console):
    tab, node = await opened(console, held="two boxes use one identity")
    await tab.wait("document.querySelectorAll('.held tbody tr').length === 10")
    rows = await tab.js("document.querySelector('.held tbody').innerText")
    assert "100.101 raise major: hot" in rows
    assert "15.3 KiB" in rows
    assert f"roost node held {node}" in await tab.js("document.querySelector('.held').innerText")
    assert "kept apart" in await tab.js("document.querySelector('.quarantine').innerText")


async def test_an_identity_is_revoked_with_a_reason_by_who_types_its_name(console):
    tab, node = await opened(console)
    await press(tab, "Revoke…")
    await fill(tab, "reason", "stolen")
    await fill(tab, "node", "edge-9.n9")
    await send(tab)
    await tab.wait(f"{DIALOG}.innerText.includes('type just that')")
    assert console.central.enrol.acts == []
    assert f"roost node revoke {node} --reason stolen" in await tab.js(
        f"{DIALOG}.querySelector('code').innerText"
    )
    await fill(tab, "node", node)
    await send(tab)
    await tab.wait(f"!{BUTTON.format('Revoke…')}")
    assert console.central.enrol.acts == [("revoke", node, {"reason": "stolen"})]


async def test_a_box_is_replaced_by_a_line_that_is_shown_once(console):
    tab, node = await opened(console)
    await press(tab, "Replace the box")
    await send(tab)
    await tab.wait(f"{DIALOG}.innerText.includes('turn it off, or say why')")
    await fill(tab, "reason", "it burns")
    await send(tab)
    await tab.wait("document.querySelector('.made code')?.innerText.includes('roost-agent join')")
    assert console.central.enrol.acts[-1] == ("replace", node, {"reason": "it burns"})
    tab.complaints.clear()  # the 409 is told by the browser as an error


async def test_a_node_that_was_never_enrolled_has_no_such_section(console):
    tab = await console.tab(f"/nodes/{console.fleet.rows[0]['site']}.n1")
    await tab.wait("document.querySelector('.inventory')")
    assert await tab.js("document.querySelector('.identity')") is None


async def test_a_node_that_came_back_is_let_into_its_slot_as_a_new_box(console):
    box = console.central.enrol.boxes["01TOKEN"]
    box |= {"kind": "expired", "reason": "edge-1.n1: its certificate ended 200 days ago"}
    tab = await console.tab("/enrol")
    await tab.wait("document.querySelector('.boxes')?.innerText.includes('200 days ago')")
    await tab.js("document.querySelector('[aria-label=\"Approve 01TOKEN\"]').click()")
    await tab.wait(f"{DIALOG}?.open")
    assert "It was a node" in await tab.js(f"{DIALOG}.innerText")
    await fill(tab, "node", "n1")
    await send(tab)
    await tab.wait("document.querySelectorAll('.boxes tbody tr').length === 1")
    assert console.central.enrol.acts[-1][2]["replace"] is True
