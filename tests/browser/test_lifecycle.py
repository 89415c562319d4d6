"""Sites changed by one act: all that match, and one that is left alone."""

import pytest

pytestmark = pytest.mark.browser
DIALOG = "document.querySelector('dialog.act')"
CHANGE = "[...document.querySelectorAll('button')].find((b) => b.innerText.startsWith('Change'))"


async def fill(tab, what, words):
    await tab.wait(DIALOG)
    for field, value, event in (("select", what, "change"), ("input", words, "input")):
        await tab.js(f"""(() => {{
          const field = {DIALOG}.querySelector({field!r});
          field.value = {value!r};
          field.dispatchEvent(new Event({event!r}, {{ bubbles: true }}));
        }})()""")
        await tab.wait(
            f"{DIALOG}.innerText.includes('roost ') && {DIALOG}.innerText.includes({what!r})"
        )
    await tab.wait(f"{DIALOG}.innerText.includes({words.split()[0]!r})")


async def test_all_sites_that_match_are_labelled_with_the_number_that_is_shown(console):
    tab = await console.tab("/?q=region:r01")
    await tab.wait(f"{CHANGE} && !{CHANGE}.disabled && !{CHANGE}.innerText.includes('500')")
    count = sum(row["label.region"] == "r01" for row in console.fleet.rows)
    assert f"Change all {count}" in await tab.js(f"{CHANGE}.innerText")
    await tab.js(f"{CHANGE}.click()")
    await fill(tab, "set", "wave=2 rack=7")
    text = await tab.js(f"{DIALOG}.innerText")
    assert f"roost label set wave=2 rack=7 -q region:r01 --expect {count}" in text
    console.central.lifecycle.count = count + 1
    await tab.js(f"{DIALOG}.querySelector('form').requestSubmit()")
    await tab.wait(f"{DIALOG}.innerText.includes('Nothing was done yet')")
    assert console.central.lifecycle.asked == []
    await tab.js(f"{DIALOG}.querySelector('form').requestSubmit()")
    await tab.wait(f"!{DIALOG}")
    assert console.central.lifecycle.asked == [
        ("/sites:label", {
            "filter": "region:r01", "expect_count": count + 1, "set": {"wave": "2", "rack": "7"},
        })
    ]  # fmt: skip


async def test_a_label_without_a_value_is_refused_before_anything_is_sent(console):
    tab = await console.tab("/?q=region:r01")
    await tab.wait(f"{CHANGE} && !{CHANGE}.disabled")
    await tab.js(f"{CHANGE}.click()")
    await fill(tab, "set", "wave=")
    await tab.js(f"{DIALOG}.querySelector('form').requestSubmit()")
    await tab.wait(f"{DIALOG}.querySelector('[role=alert]')?.innerText.includes('KEY=VALUE')")
    assert console.central.lifecycle.asked == []


async def test_a_node_shows_the_labels_of_its_own(console):
    tab = await console.tab(f"/nodes/{console.fleet.rows[0]['site']}.n1")
    await tab.wait("document.querySelector('.facts')?.innerText.includes('Labels of its own')")
    assert "rack=7" in await tab.js("document.querySelector('.facts').innerText")


async def test_a_site_is_left_alone_and_its_page_says_why(console):
    site = console.fleet.rows[0]["site"]
    tab = await console.tab(f"/sites/{site}")
    await tab.wait("document.querySelector('.standing .subjects')")
    assert "configuration out-of-sync" in await tab.js(
        "document.querySelector('.subjects').innerText"
    )
    await tab.js(f"{CHANGE}.click()")
    await fill(tab, "unmanage", "rebuilt")
    await tab.js(f"{DIALOG}.querySelector('form').requestSubmit()")
    await tab.wait("document.querySelector('.unmanaged')")
    said = await tab.js("document.querySelector('.unmanaged').innerText")
    assert "Not managed since" in said
    assert "is rebuilt" in said
    assert console.central.lifecycle.asked == [
        ("/sites:manage", {"names": [site], "managed": False, "reason": "rebuilt"})
    ]
