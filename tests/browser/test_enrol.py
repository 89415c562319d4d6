"""The enrolment page: boxes with their words, approval by typing them, a token with its QR code."""

import pytest
from fake_enrol import WORDS

pytestmark = pytest.mark.browser
ROWS = "[...document.querySelectorAll('.boxes tbody tr')]"
DIALOG = "document.querySelector('dialog.act')"


async def opened(console):
    tab = await console.tab("/enrol")
    await tab.wait(f"{ROWS}.length === 2")
    return tab


async def press(tab, label):
    await tab.js(f"document.querySelector('[aria-label=\"{label}\"]').click()")
    await tab.wait(f"{DIALOG}?.open")


async def fill(tab, name, value):
    field = f"{DIALOG}.querySelector('[name={name}]')"
    event = "change" if await tab.js(f"{field}.tagName") == "SELECT" else "input"
    await tab.js(
        f"(() => {{ const f = {field}; f.value = '{value}';"
        f" f.dispatchEvent(new Event('{event}', {{ bubbles: true }})); }})()"
    )


async def send(tab):
    await tab.js(f"{DIALOG}.querySelector('button.primary').click()")


async def test_a_box_is_let_in_by_the_words_that_it_shows(console):
    tab = await opened(console)
    assert WORDS in await tab.js(f"{ROWS}[0].innerText")
    await press(tab, "Approve 01BARE")
    for name, value in (("site", "edge-7"), ("node", "n1"), ("words", "a b c d e f")):
        await fill(tab, name, value)
    await send(tab)
    await tab.wait(f"{DIALOG}.innerText.includes('compare all six again')")
    await fill(tab, "words", WORDS)
    await send(tab)
    await tab.wait(f"{ROWS}.length === 1")
    assert "edge-7.n1 is let in." in await tab.js("document.querySelector('.said').innerText")
    assert console.central.enrol.acts[-1] == (
        "approve",
        "01BARE",
        {"site": "edge-7", "node": "n1", "words": WORDS, "replace": False, "reason": ""},
    )
    tab.complaints.clear()  # the 409 is told by the browser as an error


async def test_a_box_is_denied_with_a_reason(console):
    tab = await opened(console)
    await press(tab, "Deny 01TOKEN")
    await fill(tab, "reason", "not ours")
    await send(tab)
    await tab.wait(f"{ROWS}.length === 1")
    assert console.central.enrol.acts == [("deny", "01TOKEN", {"reason": "not ours"})]


async def test_a_box_that_its_tpm_vouches_for_is_let_in_by_its_number(console):
    number = "5cada42c" * 8
    told = f"chips vouches for the TPM {number}; no rule says where it belongs"
    enrol = console.central.enrol
    enrol.boxes["01TPM"] = {**enrol._box("01TPM", "tpm", product="X3"), "reason": told}
    tab = await console.tab("/enrol")
    await tab.wait(f"{ROWS}.length === 3")
    assert number in await tab.js(f"{ROWS}[2].innerText")
    await press(tab, "Approve 01TPM")
    shown = await tab.js(f"{DIALOG}.innerText")
    assert "The maker of its TPM vouches for that, and for no more" in shown
    assert number in shown
    assert await tab.js(f"{DIALOG}.scrollWidth <= {DIALOG}.clientWidth")


async def test_a_token_is_shown_once_as_a_line_and_as_a_code(console):
    tab = await opened(console)
    await tab.js("[...document.querySelectorAll('.toolbar button')].at(-1).click()")
    await tab.wait(f"{DIALOG}?.open")
    known = f"[...{DIALOG}.querySelectorAll('#known-site option')].map((each) => each.value)"
    sites = await tab.js(known)
    assert len(sites) == 20
    await fill(tab, "site", sites[7])
    await tab.wait(f"{known}.join() === '{sites[7]}'")
    await send(tab)
    await tab.wait("document.querySelector('.made code')?.innerText.includes('roost-agent join')")
    assert await tab.js("document.querySelector('.qr').getAttribute('aria-label')") == (
        "QR code: the line that joins a box"
    )
    dark = await tab.js(
        "document.querySelectorAll('.qr path')[1].getAttribute('d').split('M').length"
    )
    assert dark == 1 + 5
    await tab.wait("document.querySelectorAll('.claims tbody tr').length === 1")
    ends = "document.querySelector('.claims [data-title=\"Ends\"]').innerText"
    assert (await tab.js(ends)).startswith(("in 24 h", "in 23 h"))
    await tab.js("document.querySelector('[aria-label=\"Revoke abcdefghijkl\"]').click()")
    await tab.wait("document.querySelector('.claims tbody').innerText.includes('revoked')")
