"""The alarm pages as an operator works with them: list, acts, drawer, incidents, shelf, load."""

import asyncio
import json

import pytest
from fake_central import HOSTILE

from roost_central.alarms.flat import alarm_link, incident_link

pytestmark = pytest.mark.browser

ROWS = "document.querySelectorAll('.alarm-rows .rows-body .row').length"
TOTAL = "Number(document.querySelector('.alarm-rows').ariaRowCount) - 1"
FIRST = "document.querySelector('.alarm-rows [aria-rowindex=\"2\"]')"
SAID = "document.querySelector('.said').innerText"
COUNT = (
    "Number(document.querySelector('.alarm-counts [data-severity={}] b')?.innerText"
    ".replaceAll(',', ''))"
)


def severity_count(console, name: str) -> int:
    return console.central.alarms.counts()[name]


def some_site(console, index: int = 300) -> str:
    return [row["site"] for row in console.fleet.rows if row["site"] != HOSTILE][index]


async def press(tab, text: str, within: str = "document") -> None:
    """Click the button with this text."""
    found = f"[...{within}.querySelectorAll('button')].find((b) => b.innerText.trim()"
    await tab.wait(f"{found}.startsWith({json.dumps(text)}))")
    await tab.js(f"{found}.startsWith({json.dumps(text)})).click()")


async def fill(tab, name: str, text: str) -> None:
    """Type into a field of the open dialog."""
    await tab.wait(f"document.querySelector('dialog[open] [name={name}]')")
    await tab.js(f"document.querySelector('dialog[open] [name={name}]').focus()")
    await tab.type(text)


async def take_csv(tab) -> list[str]:
    """Click on CSV and return the lines of what would be saved."""
    await tab.js(
        "URL.createObjectURL = (blob) => { blob.text().then((t) => { window.taken = t; });"
        " return 'blob:x'; };"
        "HTMLAnchorElement.prototype.click = function () { window.as = this.download; }"
    )
    await press(tab, "CSV")
    await tab.wait("window.taken")
    return (await tab.js("window.taken")).splitlines()


async def open_list(console, query: str = "", **size):
    tab = await console.tab(f"/alarms{query}", **size)
    await tab.wait(FIRST)
    return tab


async def test_the_pages_open_without_an_error_or_a_policy_violation(console):
    console.central.alarms.incident("INC-1", [some_site(console, n) for n in range(100, 160)])
    tab = await console.tab()
    for path, seen in (
        ("/alarms", ".alarm-rows .row"),
        ("/alarms?list=cleared", ".alarms-cleared [aria-current=true]"),
        ("/incidents", ".plain th a"),
        ("/incidents/INC-1", ".cause-text"),
        ("/shelf", "h2"),
        ("/load", ".plot rect"),
    ):
        await tab.open(console.url + path)
        await tab.wait(f"document.querySelector('{seen}')")
    assert tab.complaints == []
    assert all(url.startswith((console.url, "data:", "blob:")) for url in tab.requests)


async def test_the_counts_are_those_of_the_centre_and_each_is_a_filter(console):
    tab = await console.tab()
    for name in ("critical", "major", "minor", "warning"):
        await tab.wait(f"{COUNT.format(name)} === {severity_count(console, name)}")
    letters = "[...document.querySelectorAll('.alarm-counts .letter')].map((e) => e.innerText)"
    assert await tab.js(letters) == ["C", "M", "m", "W"]
    await tab.js("document.querySelector('.alarm-counts [data-severity=minor]').click()")
    await tab.wait(f"location.pathname === '/alarms' && {FIRST}")
    await tab.wait(f"{TOTAL} === {severity_count(console, 'minor')}")
    assert await tab.js("new URLSearchParams(location.search).get('q')") == "sev=minor"


async def test_what_is_hidden_is_counted_beside_and_can_be_asked_for(console):
    alarms = console.central.alarms
    site = some_site(console)
    alarms.raise_alarm("100.101", site, masked_by="aa", text="below another")
    alarms.raise_alarm("100.104", site, suppressed_by="SU1")
    alarms.raise_alarm("200.006", site, state="unknown")
    tab = await console.tab("/alarms?q=masked%3Dtrue")
    await tab.wait("document.querySelector('[data-hidden=masked]')?.innerText === '1 masked'")
    await tab.wait(f"{FIRST}?.innerText.includes('below another')")
    for name in ("suppressed", "unknown"):
        assert await tab.js(f"document.querySelector('[data-hidden={name}]').innerText")
    await tab.js("document.querySelector('[data-hidden=unknown]').click()")
    await tab.wait(f"{TOTAL} === 1 && {FIRST}.innerText.includes('last word')")


async def test_a_new_alarm_is_counted_and_listed_by_the_stream_alone(console):
    tab = await open_list(console, "?q=type%3D750.801")
    before = severity_count(console, "warning")
    await tab.wait(f"{COUNT.format('warning')} === {before}")
    await tab.point(600, 20)
    console.central.alarms.raise_alarm("750.801", some_site(console), text="valve is stuck")
    await tab.wait(f"{COUNT.format('warning')} === {before + 1}")
    await tab.wait(f"{FIRST}.innerText.includes('valve is stuck')")


async def test_rows_do_not_move_under_the_cursor_but_their_values_follow(console):
    alarms = console.central.alarms
    tab = await open_list(console, "?sort=-raised")
    await tab.wait(ROWS)
    top = await tab.js(f"{FIRST}.dataset.id")
    await tab.point(600, 400)
    alarms.raise_alarm("100.101", some_site(console), text="newer than all")
    shown = next(row.answer for row in alarms.rows.values() if row.answer["id"] == top)
    await tab.wait("document.querySelector('.waiting').innerText.startsWith('1 changed')")
    shown["count"] = 77
    alarms._tell(shown, "change")
    await tab.wait(f"{FIRST}.querySelector('.c-count').innerText === '77'")
    assert await tab.js(f"{FIRST}.dataset.id") == top
    await tab.press("n")
    await tab.wait(f"{FIRST}.innerText.includes('newer than all')")


async def test_an_alarm_that_clears_stays_greyed_until_the_next_order(console):
    tab = await open_list(console)
    await tab.point(600, 400)
    top = await tab.js(f"{FIRST}.dataset.id")
    console.central.alarms.clear(console.central.alarms.rows[top].answer)
    await tab.wait(f"{FIRST}.classList.contains('left')")
    assert await tab.js(f"{FIRST}.dataset.id") == top
    await tab.press("n")
    await tab.wait(f"{FIRST}.dataset.id !== '{top}'")


async def test_paused_the_list_stands_still(console):
    tab = await open_list(console)
    before = severity_count(console, "critical")
    await tab.wait(f"{COUNT.format('critical')} === {before}")
    await tab.press("p")
    await tab.wait("document.querySelector('.dot [role=status]').innerText === 'paused'")
    top = await tab.js(f"{FIRST}.dataset.id")
    await tab.point(600, 20)
    console.central.alarms.raise_alarm("100.101", some_site(console))
    await asyncio.sleep(1.5)
    assert await tab.js(COUNT.format("critical")) == before
    assert await tab.js(f"{FIRST}.dataset.id") == top
    await tab.press("p")
    await tab.wait(f"{COUNT.format('critical')} === {before + 1}")
    await tab.wait(f"{FIRST}.dataset.id !== '{top}'")


async def test_a_filter_is_typed_kept_in_the_address_and_its_mistakes_are_marked(console):
    tab = await open_list(console)
    await tab.press("/")
    await tab.type("sev=major region:r0*")
    expected = len(console.central.alarms.find("sev=major region:r0*"))
    await tab.wait(f"{TOTAL} === {expected}")
    await tab.wait("location.search.includes('q=sev')")
    await tab.open(f"{console.url}/alarms?q=svre%3Dmajor")
    await tab.wait("document.querySelector('.complaint mark')?.innerText === 'svre'")
    await tab.open(f"{console.url}/alarms?q=lat%3D1")
    await tab.wait("document.querySelector('.complaint')?.innerText.includes('not of alarm')")


async def test_all_that_match_are_acknowledged_not_only_those_that_were_read(console):
    alarms = console.central.alarms
    for n in range(260):
        alarms.raise_alarm("280.801", some_site(console, n), text=f"line {n}", age_s=5)
    tab = await open_list(console, "?q=sev%3Dmajor")
    matching = len(alarms.find("sev=major"))
    await tab.wait(f"{TOTAL} === {matching}")
    await tab.js("document.querySelector('.head .pick input').click()")
    await press(tab, f"Select all {matching} that match")
    await press(tab, "Acknowledge", "document.querySelector('.pick-bar')")
    await fill(tab, "note", "carrier's cut")
    command = f"roost alarm ack -q sev=major --expect {matching} -m 'carrier'\\''s cut'"
    await tab.wait(f"[...document.querySelectorAll('dialog[open] .as-cli code')].at(-1).innerText"
                   f" === {json.dumps(command)}")  # fmt: skip
    await press(tab, f"Acknowledge {matching}", "document.querySelector('dialog[open]')")
    await tab.wait(f"{SAID}.startsWith('{matching} acknowledged')")
    assert len(alarms.find("sev=major op=acked")) == matching
    verb, body = alarms.acts[-1]
    assert (verb, body["filter"], body["expect_count"]) == ("ack", "sev=major", matching)
    await tab.wait(f"{FIRST}.innerText.includes('acked')")


async def test_a_conflict_offers_the_number_of_now(console):
    alarms = console.central.alarms
    for n in range(210):
        alarms.raise_alarm("200.006", some_site(console, n), age_s=5)
    tab = await open_list(console, "?q=sev%3Dminor")
    matching = len(alarms.find("sev=minor"))
    await tab.wait(f"{TOTAL} === {matching}")
    await tab.js("document.querySelector('.head .pick input').click()")
    await press(tab, f"Select all {matching}")
    await press(tab, "Acknowledge", "document.querySelector('.pick-bar')")
    await tab.wait("document.querySelector('dialog[open]')")
    alarms.raise_alarm("200.006", some_site(console, 400))
    await press(tab, f"Acknowledge {matching}", "document.querySelector('dialog[open]')")
    await tab.wait(
        f"document.querySelector('dialog .problem').innerText.includes('{matching + 1}')"
    )
    assert alarms.find("sev=minor op=acked") == []
    await press(tab, f"Acknowledge {matching + 1}", "document.querySelector('dialog[open]')")
    await tab.wait(f"{SAID}.startsWith('{matching + 1} acknowledged')")


async def test_shelving_needs_a_reason_and_what_is_shelved_leaves_the_list(console):
    alarms = console.central.alarms
    tab = await open_list(console)
    top = await tab.js(f"{FIRST}.dataset.id")
    await tab.js("document.querySelector('.alarm-rows').focus()")
    await tab.press("s")
    await tab.wait("document.querySelector('dialog[open] [name=reason]')")
    await tab.js("document.querySelector('dialog[open] form').requestSubmit()")
    assert alarms.acts == []
    await fill(tab, "reason", "lab burn-in")
    await tab.press("Enter")
    await tab.wait(f"{SAID}.startsWith('1 shelved')")
    verb, body = alarms.acts[-1]
    assert (verb, body["ids"], body["for_s"], body["reason"]) == (
        "shelve",
        [top],
        7200,
        "lab burn-in",
    )
    await tab.wait("document.querySelector('[data-hidden=shelved]')?.innerText === '1 shelved'")
    await tab.open(f"{console.url}/shelf")
    await tab.wait("document.querySelector('tbody')?.innerText.includes('lab burn-in')")
    await press(tab, "End now")
    await tab.wait(f"{SAID}.includes('has ended')")
    await tab.wait("document.querySelector('[data-hidden=shelved]') === null")


async def test_the_keyboard_selects_opens_and_closes(console):
    tab = await open_list(console)
    await tab.js("document.querySelector('.alarm-rows').focus()")
    await tab.press("ArrowDown", times=2)
    await tab.press("x")
    await tab.wait("document.querySelector('.pick-bar b').innerText === '1 selected'")
    active = "document.getElementById(document.querySelector('.alarm-rows')"
    active += ".getAttribute('aria-activedescendant'))"
    assert await tab.js(f"{active}.ariaSelected") == "true"
    chosen = await tab.js(f"{active}.dataset.id")
    await tab.press("Enter")
    await tab.wait("document.activeElement.id === 'drawer-title'")
    assert f"show={chosen}" in await tab.js("location.search")
    await tab.press("Escape")
    await tab.wait("!document.querySelector('.drawer')")
    await tab.wait("document.activeElement.matches('.alarm-rows')")
    await tab.press("Escape")
    await tab.wait("!document.querySelector('.pick-bar')")


async def test_the_drawer_tells_repair_cause_and_what_was_done(console):
    alarms = console.central.alarms
    site = some_site(console, 11)
    alarm = alarms.raise_alarm("100.104", site, age_s=4000)
    alarms.raise_alarm("280.801", site)
    tab = await console.tab(f"/a/{alarm['key_id']}")
    await tab.wait("document.querySelector('.repair')?.innerText.includes('Free some space')")
    assert await tab.js("location.pathname + location.search") == f"/alarms?show={alarm['key_id']}"
    text = "document.querySelector('.drawer').innerText"
    for part in ("May be caused by", "Timeline", "limit 95", f"roost alarm show {alarm['key_id']}"):
        assert part in await tab.js(text)
    await press(tab, "Note", "document.querySelector('.drawer')")
    await fill(tab, "text", "called the site")
    await tab.press("Enter")
    await tab.wait(f"{text}.includes('called the site') && {text}.includes('by admin')")


async def test_a_link_that_went_outside_opens_what_it_is_about(console):
    """Links are made here as what goes north makes them, of an alarm that is over by now too."""
    alarms = console.central.alarms
    sites = [some_site(console, n) for n in range(100, 120)]
    alarms.incident("INC-7F3A", sites)
    over = alarms.raise_alarm("100.104", some_site(console, 9))
    alarms.clear(over)
    active = next(iter(alarms.rows.values())).answer
    tab = await console.tab()
    for alarm in (active, over):
        await tab.open(alarm_link(console.url, alarm["id"]))
        await tab.wait(
            f"document.querySelector('.drawer')?.innerText.includes({json.dumps(alarm['key_id'])})"
        )
    await tab.open(incident_link(console.url, "INC-7F3A"))
    await tab.wait("document.querySelector('main').innerText.includes('INC-7F3A')")
    await tab.wait("document.querySelector('.cause-text')")


async def test_the_fleet_says_of_each_site_its_worst_alarm_and_follows(console):
    site = some_site(console)
    alarms = console.central.alarms
    for row in [each.answer for each in alarms.rows.values() if each.answer["site"] == site]:
        alarms.clear(row)
    alarms.raise_alarm("750.801", site)
    tab = await console.tab(f"/?q=site%3D{site}")
    cell = "document.querySelector('.rows-body .c-alarm').innerText"
    await tab.wait(f"{cell}.includes('pump 2 runs dry')")
    assert "+" not in await tab.js(cell)
    alarms.raise_alarm("100.101", site)
    await tab.wait(f"/^\\s*critical\\s+CPU 96 % used, limit 95\\s*\\+1/.test({cell})")


async def test_a_hostile_text_stays_text(console):
    tab = await open_list(console, "?q=sev%3Dwarning")
    await tab.wait(f"document.body.innerText.includes({json.dumps(HOSTILE)})")
    await tab.js(f"{FIRST}.click()")
    await tab.wait("document.querySelector('.drawer .timeline li')")
    assert await tab.js("window.owned === undefined && !document.querySelector('img')")
    assert tab.complaints == []


async def test_an_incident_shows_its_cause_and_first_what_that_does_not_explain(console):
    alarms = console.central.alarms
    sites = [some_site(console, n) for n in range(100, 180)]
    alarms.incident("INC-7F3A", sites, recovered=30, not_back=sites[:70])
    tab = await console.tab()
    await tab.wait("document.querySelector('.strip')?.innerText.includes('carrier=carB')")
    await tab.js("document.querySelector('.strip a').click()")
    await tab.wait("document.querySelector('.cause-text')")
    text = await tab.js("document.querySelector('main').innerText")
    for part in ("carrier=carB AND region IN r02, r05", "0.99", "release=4.2.1",
                 "30 of 80 sites are back", "Did not come back (70)"):  # fmt: skip
        assert part in text
    title = await tab.js("document.querySelector('h1').innerText")
    assert title.startswith("80 sites: site.path.down")
    assert "INC-7F3A" in title
    bars = "[...document.querySelectorAll('.evidence td:nth-of-type(1) [style]')]"
    widths = await tab.js(f"{bars}.map((bar) => bar.style.width)")
    assert widths == ["99%", "20%", "21%"]  # the cause, and what was rejected
    tables = "[...document.querySelectorAll('.alarm-plain')]"
    await tab.wait(f"{tables}.length === 2")
    assert await tab.js(f"{tables}[0].tBodies[0].rows.length") == 2
    assert "fire" in await tab.js(f"{tables}[0].innerText")
    bar = "document.querySelector('[role=progressbar]')"
    assert await tab.js(f"[{bar}.ariaValueNow, {bar}.ariaValueMax]") == ["30", "80"]
    await press(tab, "Acknowledge")
    await fill(tab, "note", "fibre cut")
    await tab.press("Enter")
    await tab.wait("document.body.innerText.includes('Acknowledged by admin')")
    await press(tab, "Split")
    await fill(tab, "filter", "region:r02")
    await fill(tab, "reason", "a power feed")
    await tab.press("Enter")
    await tab.wait("document.querySelector('.said').innerText === 'Split: done'")
    assert alarms.acts[-1][1] == {"filter": "region:r02", "reason": "a power feed"}
    await press(tab, "Close")
    await fill(tab, "reason", "repaired")
    await tab.press("Enter")
    await tab.wait("document.querySelector('.crumb').innerText.includes('closed')")
    assert [verb for verb, _ in alarms.acts] == [
        "incident:ack",
        "incident:split",
        "incident:close",
    ]


async def test_two_thousand_alarms_leave_the_page_small_and_scroll_to_the_end(console):
    alarms = console.central.alarms
    for n in range(2000):
        alarms.raise_alarm("280.801", some_site(console, n % 490), text=f"line {n}")
    tab = await open_list(console, "?q=sev%3Dmajor")
    total = len(alarms.find("sev=major"))
    await tab.wait(f"{TOTAL} === {total}")
    await tab.wait("document.querySelector('.flood')")
    scroll = "document.querySelector('.alarm-rows').scrollTop = 1e7"
    last = f"document.querySelector('[aria-rowindex=\"{total + 1}\"]')"
    await tab.wait(f"({scroll}, {last})", for_s=20)
    assert await tab.js("document.querySelectorAll('*').length") < 2_000


async def test_an_export_is_the_whole_result(console):
    tab = await open_list(console, "?q=sev%3Dmajor")
    lines = await take_csv(tab)
    assert len(lines) == 1 + len(console.central.alarms.find("sev=major"))
    assert await tab.js("window.as") == "alarms.csv"


CLEARED_ROWS = "document.querySelectorAll('.alarms-cleared tbody tr').length"


async def test_what_was_cleared_is_a_tab_with_filter_pages_and_an_export(console):
    alarms = console.central.alarms
    for n in range(130):
        one = alarms.raise_alarm("200.006", some_site(console, n), age_s=700, text=f"line {n}")
        alarms.clear(one)
    other = alarms.raise_alarm("100.101", some_site(console, 7), text="hot", age_s=7_200)
    alarms.clear(other, "operator")
    tab = await open_list(console)
    await tab.js(
        "[...document.querySelectorAll('[aria-label=Views] a')]"
        ".find((a) => a.innerText === 'Cleared').click()"
    )
    await tab.wait(f"{CLEARED_ROWS} === 100")
    here = "document.querySelector('[aria-label=Views] [aria-current]').innerText"
    assert await tab.js(here) == "Cleared"
    await press(tab, "Older")
    await tab.wait(f"{CLEARED_ROWS} === 131")
    await tab.press("/")
    await tab.type("sev=critical")
    await tab.wait(f"{CLEARED_ROWS} === 1")
    row = await tab.js("document.querySelector('.cleared tbody tr').innerText")
    for part in ("critical", "2 h 00 m", "hot", "operator", other["site"]):
        assert part in row
    await tab.wait("location.search.includes('list=cleared') && location.search.includes('q=sev')")
    lines = await take_csv(tab)
    assert len(lines) == 2
    assert await tab.js("window.as") == "alarms-history.csv"
    path, asked = alarms.asked[-1]
    assert path.endswith("/alarms/history")
    assert asked == {"filter": "sev=critical", "since": "7d"}
    assert tab.complaints == []


async def test_a_cleared_alarm_opens_beside_the_list_and_new_ones_are_counted(console):
    alarms = console.central.alarms
    first = alarms.raise_alarm("100.104", some_site(console, 3), age_s=400)
    alarms.clear(first)
    second = alarms.raise_alarm("100.104", some_site(console, 4), age_s=400)
    tab = await console.tab("/alarms?list=cleared&since=24h")
    await tab.wait(f"{CLEARED_ROWS} === 1")
    await tab.js("document.querySelector('.cleared tbody td a[id]').click()")
    await tab.wait("document.activeElement.id === 'drawer-title'")
    await tab.wait("document.querySelector('.drawer .repair')")
    assert await tab.js("document.querySelectorAll('.drawer .buttons button').length") == 0
    await tab.press("Escape")
    await tab.wait(f"document.activeElement.id === 'cleared-{first['id']}'")
    alarms.clear(second)
    await tab.wait("document.querySelector('.waiting').innerText.startsWith('1 cleared')")
    assert await tab.js(CLEARED_ROWS) == 1
    await tab.js("document.activeElement.blur()")
    await tab.press("n")
    await tab.wait(f"{CLEARED_ROWS} === 2")
    assert all(ask["since"] == "24h" for path, ask in alarms.asked if path.endswith("history"))


async def test_a_type_is_switched_off_where_the_load_shows_it(console):
    alarms = console.central.alarms
    tab = await console.tab("/load")
    await press(tab, "Suppress")
    await fill(tab, "reason", "known fault of this release")
    await tab.press("Enter")
    await tab.wait("document.querySelector('[data-hidden=suppressed]')")
    assert [row["type"] for row in alarms.suppressions.values()] == ["100.101"]
    text = await tab.js("document.querySelector('main').innerText")
    for part in ("8.4", "manageable", "overloaded", "good up to 6.0, limit 12.0"):
        assert part in text


async def test_a_site_and_a_node_show_their_own_alarms_and_follow(console):
    alarms = console.central.alarms
    site = some_site(console, 333)
    tab = await console.tab(f"/sites/{site}")
    await tab.wait("document.querySelector('.alarms-here .empty')?.innerText === 'No alarm.'")
    alarms.raise_alarm("200.006", site, shelf={"id": "S", "by": "jd", "reason": "lab",
                                               "until": "2999-01-01T00:00:00Z"})  # fmt: skip
    await tab.wait("document.querySelector('.alarms-here tbody')?.innerText.includes('shelved')")
    node = "document.querySelector('.alarms-here [data-title=Node]')"
    assert await tab.js(f"{node}.innerText") == "n1"
    await tab.open(f"{console.url}/nodes/{site}.n1")
    await tab.wait("document.querySelector('.alarms-here tbody')?.rows.length === 1")
    assert await tab.js(f"{node} === null")
