"""What an operator sees and types: pages, filter, keyboard, and names that try to be markup."""

import json

import pytest
from fake_central import HOSTILE, STATES

pytestmark = pytest.mark.browser

NOT_SET = "\N{EN DASH}"
SHOWN = "Number(document.querySelector('[role=grid]').ariaRowCount) - 1"
STATUSES = "[...document.querySelectorAll('.rows-body .c-status')].map((e) => e.innerText.trim())"


async def test_the_pages_open_without_an_error_or_a_policy_violation(console):
    tab = await console.tab()
    await tab.wait("document.querySelector('.rows-body .row')")
    site = next(row["site"] for row in console.fleet.rows if row["status"] == "ok")
    for path, seen in (
        (f"/sites/{site}", ".matrix"),
        (f"/nodes/{site}.n1", ".inventory"),
        ("/events", ".events"),
        ("/no/such/page", "h1"),
    ):
        await tab.open(console.url + path)
        await tab.wait(f"document.querySelector('{seen}')")
    assert tab.complaints == []
    assert all(url.startswith((console.url, "data:")) for url in tab.requests)


async def test_who_is_not_logged_in_is_led_to_the_login_and_back_to_the_page(console):
    tab = await console.context.tab()
    await tab.open(f"{console.url}/events")
    await tab.wait("location.pathname === '/login' && document.querySelector('#token')")
    text = await tab.js("document.body.innerText")
    assert "admin.token" in text
    await tab.js("document.querySelector('#token').focus()")
    await tab.type("rtk_wrong")
    await tab.press("Enter")
    await tab.wait("document.querySelector('.error').innerText.includes('not valid')")
    await console.log_in(tab)
    assert await tab.js("JSON.stringify(localStorage) + document.cookie") in {"{}", ""}


async def test_the_counts_are_disjoint_add_up_and_filter(console):
    tab = await console.tab()
    counts = await tab.js(
        "Object.fromEntries([...document.querySelectorAll('.banner .count')]"
        ".map((e) => [e.querySelector('.word').innerText,"
        " Number(e.querySelector('b').innerText.replaceAll(',', ''))]))"
    )
    assert sum(counts[state] for state in STATES) == counts["sites"] == len(console.fleet.rows)
    await tab.js("document.querySelector('.banner .tone-unknown').click()")
    await tab.wait(f"{SHOWN} === {counts['unknown']}")
    assert await tab.js("new URLSearchParams(location.search).get('q')") == "status=unknown"
    assert set(await tab.js(STATUSES)) == {"unknown"}


async def test_a_query_filters_while_it_is_typed_and_stays_in_the_address(console):
    tab = await console.tab()
    await tab.press("/")
    await tab.wait("document.activeElement.id === 'query'")
    await tab.type("region:r0* carrier=carB")
    expected = sum(
        row["label.region"].startswith("r0") and row["label.carrier"] == "carB"
        for row in console.fleet.rows
    )
    await tab.wait(f"{SHOWN} === {expected}")
    await tab.wait("location.search.includes('q=region:r0*')")
    await tab.open(await tab.js("location.href"))
    await tab.wait(f"{SHOWN} === {expected}")


async def test_a_mistake_is_marked_where_it_is_and_what_was_meant_is_offered(console):
    tab = await console.tab("/?q=region:r00%20stauts%3Ddown")
    await tab.wait("document.querySelector('.complaint')")
    assert await tab.js("document.querySelector('.complaint mark').innerText") == "stauts"
    await tab.js("document.querySelector('.complaint button').click()")
    await tab.wait("document.querySelector('#query').value === 'region:r00 status=down'")
    await tab.wait("!document.querySelector('.complaint')")


async def test_a_field_outside_the_snapshot_is_asked_of_the_server(console):
    tab = await console.tab("/?q=presence%3Ddegraded")
    await tab.wait(f"{SHOWN} === {(len(console.fleet.rows) + 1) // 2}")
    assert console.central.asked["/sites"] == 1


async def test_the_keyboard_reaches_a_site_and_a_node(console):
    tab = await console.tab("/?q=site:edge-02*&view=grid&group=none")
    await tab.wait("document.querySelector('.heat-heading small').innerText !== ''")
    await tab.js("document.querySelector('canvas').focus()")
    await tab.press("ArrowRight", times=2)
    name = await tab.wait("document.querySelector('.heat-tip strong')?.innerText")
    sites = sorted(r["site"] for r in console.fleet.rows if r["site"].startswith("edge-02"))
    assert name == sites[2]
    await tab.press("Enter")
    await tab.wait(f"location.pathname === '/sites/{sites[2]}'")
    await tab.wait("document.querySelector('.matrix')")
    for _ in range(60):
        await tab.press("Tab")
        if await tab.js("document.activeElement.getAttribute('href')?.startsWith('/nodes/')"):
            break
    await tab.press("Enter")
    await tab.wait("location.pathname.startsWith('/nodes/')")


async def test_the_table_moves_by_keys_and_opens_what_is_active(console):
    tab = await console.tab("/?view=table&sort=site")
    await tab.wait("document.querySelector('.rows-body .row')")
    await tab.js("document.querySelector('[role=grid]').focus()")
    await tab.press("ArrowDown", times=3)
    active = "document.getElementById(document.querySelector('[role=grid]')"
    active += ".getAttribute('aria-activedescendant'))"
    expected = sorted(row["site"] for row in console.fleet.rows)[3]
    assert await tab.js(f"{active}.querySelector('a').innerText") == expected
    await tab.press("End")
    last = max(row["site"] for row in console.fleet.rows)
    await tab.wait(f"{active}?.querySelector('a').innerText === '{last}'")
    await tab.press("Enter")
    await tab.wait(f"location.pathname === '/sites/{last}'")


async def test_a_column_sorts_both_ways_and_the_address_says_so(console):
    tab = await console.tab("/?view=table")
    await tab.wait("document.querySelector('.rows-body .row')")
    click = "[...document.querySelectorAll('.head button')].find((b) => /Site/.test(b.innerText))"
    await tab.js(f"{click}.click()")
    first = "document.querySelector('[aria-rowindex=\"2\"] a')?.innerText"
    names = sorted(row["site"] for row in console.fleet.rows)
    await tab.wait(f"{first} === {json.dumps(names[0])}")
    await tab.js(f"{click}.click()")
    await tab.wait(f"{first} === {json.dumps(names[-1])}")
    assert "sort=-site" in await tab.js("location.search")


async def test_the_grid_groups_by_any_label_and_a_heading_narrows_to_its_group(console):
    tab = await console.tab("/?group=tier&view=grid")
    await tab.wait("document.querySelectorAll('.heat-heading').length === 3")
    names = await tab.js(
        "[...document.querySelectorAll('.heat-heading')].map((e) => e.firstElementChild.innerText)"
    )
    assert names == ["gold", "silver", NOT_SET]
    await tab.js("document.querySelector('.heat-heading a').click()")
    await tab.wait("document.querySelector('#query').value === 'label.tier=gold'")


async def test_hostile_names_stay_text(console):
    console.fleet.set(HOSTILE, status="down")
    tab = await console.tab("/?q=status%3Ddown&view=both")
    await tab.wait(f"document.body.innerText.includes({json.dumps(HOSTILE)})")
    links = "[...document.querySelectorAll('.c-site a')]"
    await tab.js(f"{links}.find((a) => a.innerText === {json.dumps(HOSTILE)}).click()")
    await tab.wait("document.querySelector('.facts')")
    assert await tab.js("document.querySelector('h1').innerText.startsWith('<img')")
    await tab.open(f"{console.url}/nodes/{console.fleet.rows[0]['site']}.n1")
    await tab.wait("document.querySelector('.diff')")
    await tab.wait(f"document.body.innerText.includes({json.dumps(HOSTILE)})")
    assert await tab.js("window.owned === undefined && !document.querySelector('img')")
    assert tab.complaints == []


async def test_never_heard_is_a_dash_and_not_zero(console):
    row = next(row for row in console.fleet.rows if row["status"] == "unknown")
    console.fleet.set(row["site"], heard_ms=None)
    tab = await console.tab(f"/?q=site%3D{row['site']}&view=table")
    await tab.wait(f"{SHOWN} === 1")
    assert await tab.js("document.querySelector('.rows-body .c-age').innerText.trim()") == NOT_SET


async def test_the_inventory_shows_units_reasons_and_is_searched(console):
    site = next(row["site"] for row in console.fleet.rows if row["status"] == "ok")
    tab = await console.tab(f"/nodes/{site}.n1")
    await tab.wait("document.querySelector('#section-memory')")
    text = await tab.js("document.querySelector('.inventory-all').innerText")
    for expected in (
        "128 GiB",
        "2 GHz",
        "10 Gbit/s",
        "1.75 TiB",
        "denied",
        "asleep",
        "unsupported",
    ):
        assert expected in text
    gaps = "[...document.querySelectorAll('.single .reason')].length"
    assert await tab.js(gaps) == 0  # what is not known is one line for each reason
    raw = "document.querySelector('#section-memory .number').title"
    assert await tab.js(raw) == "total_bytes = 137438953472"
    await tab.press("/")
    await tab.type("pm9a3")
    await tab.wait("document.querySelectorAll('.section').length === 1")
    assert await tab.js("document.querySelectorAll('.section tbody tr').length") == 1


async def test_what_changed_reads_as_a_list_of_differences(console):
    site = next(row["site"] for row in console.fleet.rows if row["status"] == "ok")
    tab = await console.tab(f"/nodes/{site}.n1")
    await tab.wait("document.querySelector('.diff')")
    changed = await tab.js(
        "document.querySelector('.diff-changed').innerText.replace(/\\s+/g, ' ')"
    )
    assert "speed 1 Gbit/s → 10 Gbit/s" in changed
    added = await tab.js("document.querySelector('.diff').innerText.replace(/\\s+/g, ' ')")
    assert "dimm A2 added" in added
    assert "tpm added" in added


async def test_a_missing_site_says_so(console):
    tab = await console.tab("/sites/nowhere")
    await tab.wait("document.querySelector('h1').innerText === 'There is no site nowhere'")
