"""Plots of what a node measured: asked for by hand, drawn, and told as a table."""

import pytest
from fake_samples import series

pytestmark = pytest.mark.browser
SECTION = "document.querySelector('.samples')"
PRESS = f"[...{SECTION}.querySelectorAll('button')].find((b) => b.textContent === '{{}}').click()"
TOLD = {
    "origin": "node", "why": "", "as_of": "2026-11-28T09:00:00.000Z", "age_s": 2.0,
    "since": "2026-11-28T08:00:00.000Z", "step_s": 900, "steps": 4, "left_out": 0,
    "series": [
        series("cpu", "%", 5, None, 20, 30),
        series("space|fs=/", "%", 40, 40, 40, 41),
        series("space|fs=/var <b>", "%", 90, 91, 92, 93),
    ],
}  # fmt: skip


async def test_a_node_is_asked_when_somebody_looks_and_its_series_are_drawn_and_tabled(console):
    node = f"{console.fleet.rows[0]['site']}.n1"
    samples = console.central.samples
    samples.said[node] = TOLD
    tab = await console.tab(f"/nodes/{node}")
    await tab.wait(f"{SECTION} !== null")
    assert samples.asked == []
    await tab.js(PRESS.format("6 hours"))
    await tab.wait(f"{SECTION}.querySelectorAll('figure canvas').length === 2")
    assert samples.asked == [{"since": "6h"}]
    label = await tab.js(f"{SECTION}.querySelector('[role=img]').getAttribute('aria-label')")
    assert label == "Processors. Processors: 4 to 31 %"
    drawn = (
        f"(() => {{ const c = {SECTION}.querySelector('canvas'); const d = c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data; return d.some((v) => v !== 0); })()"
    )
    await tab.wait(drawn)
    await tab.js(f"[...{SECTION}.querySelectorAll('summary')][1].click()")
    text = await tab.js(f"{SECTION}.querySelectorAll('figure')[1].innerText")
    assert "/var <b>" in text
    await tab.js(f"{SECTION}.querySelectorAll('figure')[1].querySelector('tbody button').click()")
    steps = f"{SECTION}.querySelectorAll('figure')[1].querySelectorAll('.steps tbody tr').length"
    await tab.wait(f"{steps} === 4")
    assert await tab.js(f"{SECTION}.querySelector('.steps tbody tr').innerText") != ""
    assert tab.complaints == []


async def test_whose_word_it_is_and_why_is_said(console):
    node = f"{console.fleet.rows[0]['site']}.n1"
    samples = console.central.samples
    tab = await console.tab(f"/nodes/{node}")
    await tab.wait(f"{SECTION} !== null")
    await tab.js(PRESS.format("24 hours"))
    said = f"{SECTION}.innerText.includes('The node is unknown. Nothing is known of what it')"
    await tab.wait(said)
    samples.said[node] = {**TOLD, "origin": "kept", "why": "it did not answer within 10 s"}
    await tab.js(PRESS.format("Ask again"))
    await tab.wait(f"{SECTION}.innerText.includes('It did not answer within 10 s. Shown is what')")
    assert tab.complaints == []


async def test_what_a_boards_sensors_read_is_asked_of_its_reader_and_drawn_over_its_polls(console):
    node = f"{console.fleet.rows[0]['site']}.n1"
    told = {"as_of": "2026-11-28T09:00:00Z", "age_s": 3, "read": None, "fault": "", "power": "on",
            "dropped": 0, "sensors": []}  # fmt: skip
    console.central.host.sensors[node] = told
    every_second = [each for value in range(40, 70) for each in (value, None)]
    read = [series("temperature|sensor=CPU", "degrees C", *every_second)]
    read += [series("voltage|sensor=12V", "V", 12.1, None, 12.2, None)]
    samples = console.central.samples
    samples.boards[node] = {**TOLD, "step_s": 60, "steps": 60, "series": read}
    tab = await console.tab(f"/nodes/{node}")
    board = "document.querySelector('.sensors .samples')"
    await tab.wait(f"{board} !== null")
    await tab.js(
        f"[...{board}.querySelectorAll('button')].find((b) => b.textContent === '1 hour').click()"
    )
    await tab.wait(f"{board}.querySelectorAll('figure canvas').length === 2")
    assert samples.asked == [{"since": "1h", "board": "yes"}]
    label = await tab.js(f"{board}.querySelector('[role=img]').getAttribute('aria-label')")
    assert label == "Temperatures. CPU: 39 to 70 degrees C"
    assert "The answer of the node that reads it." in await tab.js(f"{board}.innerText")
    assert tab.complaints == []
