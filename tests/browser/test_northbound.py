"""The northbound page: targets with what waits for them, a test of each, dead letters."""

import pytest

pytestmark = pytest.mark.browser
SAID = "document.querySelector('.said').innerText"
ROWS = "[...document.querySelectorAll('.targets tbody tr')]"


def row(name):
    return f"{ROWS}.find((r) => r.querySelector('th').innerText.startsWith('{name}'))"


async def opened(console):
    tab = await console.tab("/northbound")
    await tab.wait(f"{ROWS}.length === 3")
    return tab


async def test_a_target_shows_its_state_what_waits_and_what_went_wrong(console):
    tab = await opened(console)
    dead = await tab.js(f"{row('dead')}.innerText")
    for part in (
        "snmp-v3 udp://nms.example:162",
        "unreachable",
        "1,234",
        "timed out",
        "3 in a row",
    ):
        assert part in dead
    assert "HTTP 410" in await tab.js(f"{row('gone')}.innerText")
    assert await tab.js("document.title") == "Northbound · roost"


async def test_a_test_that_works_and_one_that_does_not_are_told(console):
    tab = await opened(console)
    north = console.central.northbound
    await tab.js(f"{row('dead')}.querySelector('button').click()")
    await tab.wait(f"{SAID} === 'dead did not take it: Cannot connect to host'")
    await tab.js(f"{row('gone')}.querySelector('button').click()")
    await tab.wait(f"{SAID} === 'gone took the test message.'")
    await tab.wait(f"{row('gone')}.querySelector('.state').innerText === 'ok'")
    assert north.tested == ["dead", "gone"]


async def test_a_dead_letter_can_be_read_and_does_nothing(console):
    tab = await opened(console)
    letter = "document.querySelector('.letters tbody tr')"
    assert "HTTP 422 as told" in await tab.js(f"{letter}.innerText")
    await tab.js(f"{letter}.querySelector('summary').click()")
    await tab.wait(f"{letter}.querySelector('pre').innerText.includes('alarm.raise')")
    console.central.northbound.letters.clear()
    await tab.js("[...document.querySelectorAll('.toolbar button')].at(-1).click()")
    await tab.wait("document.body.innerText.includes('Nothing was given up.')")


async def test_where_nothing_is_configured_the_page_says_so(console):
    console.central.northbound.targets.clear()
    tab = await console.tab("/northbound")
    await tab.wait("document.body.innerText.includes('the configuration names no target')")
