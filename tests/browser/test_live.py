"""Live data: frames, reconnecting, resync, one stream for all tabs, pause, rows that stay put."""

import asyncio

import aiohttp
import pytest
from fake_central import TOKEN, serving

pytestmark = pytest.mark.browser

COUNT = "Number(document.querySelector('.banner .tone-{}').querySelector('b').innerText)"
DOT = "document.querySelector('.dot [role=status]').innerText"


def ok_site(console, index: int = 0) -> str:
    return [row["site"] for row in console.fleet.rows if row["status"] == "ok"][index]


async def streams(console, count: int) -> None:
    async with asyncio.timeout(60):
        async with console.central.streams_changed:
            await console.central.streams_changed.wait_for(lambda: console.central.streams == count)


async def test_a_frame_changes_the_count_the_row_and_the_cell(console):
    site = ok_site(console)
    tab = await console.tab(f"/?q=site%3D{site}")
    await tab.wait("document.querySelector('.rows-body .c-status')?.innerText.trim() === 'ok'")
    await streams(console, 1)
    pixel = "document.querySelector('canvas').toDataURL()"
    before, down = await tab.js(pixel), await tab.js(COUNT.format("down"))
    console.fleet.set(site, status="down")
    await tab.wait("document.querySelector('.rows-body .c-status').innerText.trim() === 'down'")
    assert await tab.js(COUNT.format("down")) == down + 1
    assert await tab.js(pixel) != before


async def test_a_broken_line_is_shown_and_nothing_is_missed_after_it(console):
    tab = await console.tab()
    await tab.wait(f"{DOT} === 'live'")
    await streams(console, 1)
    down = await tab.js(COUNT.format("down"))
    console.central.broken = True
    await streams(console, 0)
    await tab.wait(f"{DOT} === 'offline'")
    console.fleet.set(ok_site(console), status="down")
    await asyncio.sleep(0.6)
    console.central.broken = False
    snapshots = console.central.asked["/snapshot"]
    await tab.wait(f"{COUNT.format('down')} === {down + 1}")
    await tab.wait(f"{DOT} === 'live'")
    assert console.central.asked["/snapshot"] == snapshots, "the ring was enough"
    epoch, _, number = console.central.last_ids[-1].rpartition("-")
    assert epoch == console.fleet.epoch
    assert int(number) > 0


async def test_a_new_site_and_a_restarted_central_are_read_again(console):
    tab = await console.tab()
    await streams(console, 1)
    total = "document.querySelector('.total b').innerText"
    await console.fleet.add_site("edge-99-00001")
    await tab.wait(f"{total} === '{len(console.fleet.rows)}'")
    await streams(console, 1)
    await console.fleet.restart()
    console.fleet.set("edge-99-00001", status="down")
    down = sum(row["status"] == "down" for row in console.fleet.rows)
    await tab.wait(f"{COUNT.format('down')} === {down}")
    await tab.wait(f"{DOT} === 'live'")


async def test_who_read_the_fleet_before_a_site_came_is_told_to_read_again():
    """Of the stand-in: a stream that opens late is judged by its position, as the centre's is."""
    jar = aiohttp.CookieJar(unsafe=True)  # of an address that is no name
    async with serving(24) as (central, url), aiohttp.ClientSession(url, cookie_jar=jar) as http:
        await http.post("/api/v1/session", json={"token": TOKEN}, headers={"X-Roost-CSRF": "1"})
        seen = f"{central.fleet.epoch}-{central.fleet.n}"
        await central.fleet.add_site("edge-99-00001")
        async with http.get("/api/v1/stream", headers={"Last-Event-ID": seen}) as stream:
            said = b""
            while b"event: frame" not in said and b"event: resync" not in said:
                said += await stream.content.readany()
    assert b"event: resync" in said


async def test_two_tabs_share_one_stream_and_both_hear_of_a_change(console):
    first = await console.tab()
    second = await console.tab()
    await streams(console, 1)
    down = await first.js(COUNT.format("down"))
    opened = console.central.streams_opened
    console.fleet.set(ok_site(console), status="down")
    await first.wait(f"{COUNT.format('down')} === {down + 1}")
    await second.wait(f"{COUNT.format('down')} === {down + 1}")
    assert console.central.streams == 1
    assert console.central.streams_opened == opened
    await first.close()
    console.fleet.set(ok_site(console, 1), status="down")
    await second.wait(f"{COUNT.format('down')} === {down + 2}")
    await second.close()
    await streams(console, 0)


async def test_without_a_shared_worker_the_tab_reads_the_stream_itself(console):
    tab = await console.context.tab()
    await tab.call(
        "Page.addScriptToEvaluateOnNewDocument", {"source": "delete globalThis.SharedWorker"}
    )
    await console.log_in(tab)
    await streams(console, 1)
    down = await tab.js(COUNT.format("down"))
    console.fleet.set(ok_site(console), status="down")
    await tab.wait(f"{COUNT.format('down')} === {down + 1}")


async def test_paused_the_page_stands_still_and_resumed_it_catches_up(console):
    tab = await console.tab()
    await streams(console, 1)
    down = await tab.js(COUNT.format("down"))
    await tab.press("p")
    await tab.wait(f"{DOT} === 'paused'")
    await streams(console, 0)
    console.fleet.set(ok_site(console), status="down")
    await asyncio.sleep(0.8)
    assert await tab.js(COUNT.format("down")) == down
    await tab.press("p")
    await tab.wait(f"{COUNT.format('down')} === {down + 1}")


async def test_rows_do_not_move_under_the_cursor_until_n_is_pressed(console):
    tab = await console.tab("/?view=table&sort=-status")
    await tab.wait("document.querySelector('.rows-body .row')")
    await streams(console, 1)
    first = "document.querySelector('[aria-rowindex=\"2\"] .c-site a').innerText"
    top = await tab.js(first)
    await tab.point(600, 400)
    site = min(ok_site(console, i) for i in range(20))
    assert site < top
    console.fleet.set(site, status="down")
    await tab.wait("document.querySelector('.waiting').innerText.startsWith('1 changed')")
    await asyncio.sleep(2.5)
    assert await tab.js(first) == top
    await tab.press("n")
    await tab.wait(f"{first} === '{site}'")


async def test_a_new_order_is_taken_when_nobody_points_at_the_rows(console):
    tab = await console.tab("/?view=table&sort=-status")
    await tab.wait("document.querySelector('.rows-body .row')")
    await streams(console, 1)
    await tab.point(600, 20)
    site = min(ok_site(console, i) for i in range(20))
    console.fleet.set(site, status="down")
    await tab.wait(f"document.querySelector('[aria-rowindex=\"2\"] a').innerText === '{site}'")


async def test_the_page_of_a_site_follows_its_nodes(console):
    site = ok_site(console)
    tab = await console.tab(f"/sites/{site}")
    await tab.wait("document.querySelector('.matrix .tone-ok')")
    await streams(console, 1)
    console.fleet.set(site, status="degraded")
    await tab.wait("document.querySelector('.matrix .tone-down')")
    await tab.wait("document.querySelector('h1').innerText.includes('degraded')")


async def test_an_ended_session_leads_to_the_login(console):
    tab = await console.tab()
    await streams(console, 1)
    console.central.sessions.clear()
    console.central.broken = True
    await streams(console, 0)
    console.central.broken = False
    await tab.wait("location.pathname === '/login'")
