"""Saved views, and going to a place by a few letters of its name."""

import json

import pytest
from fake_central import HOSTILE

pytestmark = pytest.mark.browser

KEPT = "[...document.querySelectorAll('.kept-views li a')].map((e) => e.innerText)"
OPTIONS = "[...document.querySelectorAll('.palette [role=option] span')].map((e) => e.innerText)"
CHOSEN = "document.querySelector('.palette [aria-selected=true]')"
FIELD = "document.querySelector('.palette [role=combobox]')"
ADDRESS = "location.pathname + location.search"
NO_DIALOG = "!document.querySelector('dialog[open]')"


async def press(tab, text: str) -> None:
    """Click the button of the open dialog whose text or name begins so."""
    found = (
        "[...document.querySelectorAll('dialog[open] button')]"
        f".find((b) => (b.ariaLabel ?? b.innerText).startsWith({json.dumps(text)}) && !b.disabled)"
    )
    await tab.wait(found)
    await tab.js(f"{found}.click()")


async def open_views(tab) -> None:
    await tab.js("document.querySelector('[aria-label=\"saved views\"]').click()")
    await tab.wait("document.querySelector('dialog.views[open] ul, dialog.views[open] .quiet')")


async def save_as(tab, name: str) -> None:
    await tab.js("document.querySelector('dialog[open] [name=name]').focus()")
    await tab.type(name)
    await press(tab, "Save")


async def open_palette(tab) -> None:
    await tab.js(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown',"
        " { key: 'k', ctrlKey: true, bubbles: true, cancelable: true }))"
    )
    await tab.wait(f"document.activeElement === {FIELD} && {FIELD}")


async def test_a_view_is_kept_opened_replaced_and_removed(console):
    kept = console.central.views.kept
    tab = await console.tab("/alarms?q=sev%3E%3Dmajor&show=100")
    await open_views(tab)
    await save_as(tab, "Serious")
    await tab.wait(f"({KEPT}).length === 1")
    (view,) = kept.values()
    assert (view["page"], view["query"]) == ("alarms", "q=sev%3E%3Dmajor")  # without the drawer

    await tab.open(f"{console.url}/events")
    await tab.wait("document.querySelector('.events')")
    await open_views(tab)
    await tab.js("document.querySelector('.kept-views a').click()")
    await tab.wait(f"{ADDRESS} === '/alarms?q=sev%3E%3Dmajor' && {NO_DIALOG}")
    await tab.wait("document.querySelector('#query')?.value === 'sev>=major'")

    await tab.open(f"{console.url}/?q=status%3Ddown")
    await tab.wait("document.querySelector('.rows-body .row')")
    await open_views(tab)
    await press(tab, "replace Serious")
    await tab.wait("document.querySelector('.kept-views a[aria-current=true]')")
    assert [(v["id"], v["page"], v["query"]) for v in kept.values()] == [
        (view["id"], "fleet", "q=status%3Ddown")
    ]
    await press(tab, "remove Serious")
    await tab.wait("document.querySelector('dialog.views .said').innerText.includes('removed')")
    await tab.wait(f"({KEPT}).length === 0")
    assert kept == {}


@pytest.mark.parametrize(
    ("page", "query", "field", "value"),
    [
        ("inventory", "class=nic&where=driver%3Di40e", "[name=where]", "driver=i40e"),
        ("hosts", "q=avail%3Dfailed", "#query", "avail=failed"),
        ("drift", "site=edge-1", "input[name=site]", "edge-1"),
    ],
)
async def test_a_view_of_another_page_is_kept_and_opened_again(console, page, query, field, value):
    tab = await console.tab(f"/{page}?{query}")
    await open_views(tab)
    await save_as(tab, "Ours")
    await tab.wait(f"({KEPT}).length === 1")
    (view,) = console.central.views.kept.values()
    assert (view["page"], view["query"]) == (page, query)
    await tab.open(f"{console.url}/v/{view['id']}")
    await tab.wait(f"{ADDRESS} === {json.dumps(f'/{page}?{query}')}")
    said = f"document.querySelector({json.dumps(field)})?.value"
    await tab.wait(f"{said} === {json.dumps(value)}")


async def test_a_name_that_is_taken_is_told_and_what_was_typed_stays(console):
    views = console.central.views
    views.kept["01A"] = views.view("01A", "Mine", "fleet", "")
    tab = await console.tab("/alarms")
    await open_views(tab)
    await save_as(tab, "Mine")
    await tab.wait("document.querySelector('dialog.views [role=alert]')")
    said = await tab.js("document.querySelector('dialog.views [role=alert]').innerText")
    assert "choose another name" in said
    assert await tab.js("document.querySelector('dialog[open] [name=name]').value") == "Mine"


async def test_the_link_of_a_view_leads_to_its_page_for_others_too(console):
    views = console.central.views
    views.of_others["01B"] = views.view("01B", "Theirs", "alarms", "q=op%3Dnone", "jd")
    tab = await console.tab("/v/01B")
    await tab.wait(f"{ADDRESS} === '/alarms?q=op%3Dnone'")
    await tab.open(f"{console.url}/v/01GONE")
    await tab.wait("document.querySelector('h1')?.innerText === 'There is no saved view 01GONE'")


async def test_a_page_of_one_thing_says_that_it_has_no_view(console):
    tab = await console.tab("/shelf")
    await open_views(tab)
    assert await tab.js("document.querySelector('dialog.views form') === null")
    assert "no view to keep" in await tab.js("document.querySelector('dialog.views').innerText")


async def test_a_name_of_a_view_stays_text(console):
    views = console.central.views
    views.kept["01A"] = views.view("01A", HOSTILE, "fleet", "")
    tab = await console.tab("/shelf")
    await open_views(tab)
    await tab.wait(f"({KEPT}).length === 1")
    assert await tab.js(KEPT) == [HOSTILE]
    assert await tab.js("window.owned") is None


@pytest.mark.parametrize(
    ("typed", "found", "address"),
    [
        ("incid", "Incidents", "/incidents"),
        ("edge-02-00041.n", "edge-02-00041.n1", "/nodes/edge-02-00041.n1"),
        ("edge-02-00041", "edge-02-00041", "/sites/edge-02-00041"),
        ("cpu.hi", "node.cpu.high", "/alarms?q=type%3D100.101"),
        ("280.80", "site.path.down", "/alarms?q=type%3D280.801"),
        ("serious w", "Serious west", "/alarms?q=region:r01"),
    ],
)
async def test_ctrl_k_goes_to_what_a_few_letters_name(console, typed, found, address):
    views = console.central.views
    views.kept["01A"] = views.view("01A", "Serious west", "alarms", "q=region:r01")
    tab = await console.tab("/load")
    await open_palette(tab)
    await tab.type(typed)
    await tab.wait(f"{CHOSEN}?.querySelector('span').innerText === {json.dumps(found)}")
    await tab.press("Enter")
    await tab.wait(f"{ADDRESS} === {json.dumps(address)} && {NO_DIALOG}")


async def test_ctrl_k_is_a_list_for_keyboard_and_screen_reader(console):
    tab = await console.tab("/alarms")
    await tab.wait("document.querySelector('#query')")
    await tab.js("document.querySelector('#query').focus()")
    await open_palette(tab)  # in a field as well
    await tab.wait(f"({OPTIONS}).length >= 7")
    names = await tab.js(OPTIONS)
    assert names[:3] == ["Fleet", "Alarms", "Incidents"]
    active = f"document.getElementById({FIELD}.getAttribute('aria-activedescendant')).innerText"
    assert await tab.js(active) == "Fleet"
    await tab.press("ArrowDown")
    await tab.wait(f"{active} === 'Alarms'")
    await tab.press("ArrowUp")
    await tab.press("ArrowUp")
    await tab.wait(f"{active} === {json.dumps(names[-1])}")  # round from the first to the last
    await tab.type("nothing is called this")
    await tab.wait(f"({OPTIONS}).length === 0")
    said = "document.querySelector('.palette [role=status]').innerText"
    await tab.wait(f"{said} === 'Nothing has this name.'")
    await tab.press("Enter")
    await tab.press("Escape")
    await tab.wait(f"{NO_DIALOG} && document.activeElement.id === 'query'")
    assert await tab.js("location.pathname") == "/alarms"


async def test_enter_goes_to_nothing_that_was_found_for_other_letters(console):
    tab = await console.tab("/load")
    await open_palette(tab)
    await tab.type("00041.n1")
    await tab.wait(f"({OPTIONS})[0] === 'edge-02-00041.n1'")
    console.central.broken = True  # no newer answer comes
    await tab.type("5")
    await tab.press("Enter")
    assert await tab.js(OPTIONS) == []
    assert await tab.js("location.pathname") == "/load"


async def test_what_is_typed_to_go_to_is_no_filter_and_no_markup(console):
    tab = await console.tab("/load")
    await open_palette(tab)
    await tab.type(HOSTILE[:20])
    await tab.wait(f"({OPTIONS})[0] === {json.dumps(HOSTILE)}")
    await tab.js(f"{FIELD}.select()")
    await tab.type('edge"02"00041')
    await tab.wait(f"({OPTIONS})[0] === 'edge-02-00041.n1'")
    assert await tab.js("window.owned") is None
    assert tab.complaints == []
