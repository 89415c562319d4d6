"""Watched processes on a node's page: state, reason and what is wrong; else nothing."""

import pytest

pytestmark = pytest.mark.browser
SECTION = "document.querySelector('.processes')"


async def test_a_failed_process_is_shown_with_its_reason_and_what_it_costs(console):
    node = f"{console.fleet.rows[0]['site']}.n1"
    console.central.host.said[node] = {
        "as_of": "2026-11-28T09:00:00Z",
        "age_s": 3,
        "degrade": {"process": "major"},
        "faults": ["/etc/pmon.d/x.conf:3: mode: 'loud'"],
        "processes": [
            {"process": "pump", "state": "failed", "mode": "active", "severity": "major",
             "since": "2026-11-28T08:59:00Z", "pid": None, "restarts": 4, "in_row": 4,
             "reason": "it did not answer 3 pings", "file": "/etc/pmon.d/pump.conf"},
            {"process": "web", "state": "running", "mode": "passive", "severity": "minor",
             "since": "2026-11-28T08:00:00Z", "pid": 4711, "restarts": 0, "in_row": 0,
             "reason": "", "file": "/etc/pmon.d/web.conf"},
        ],
    }  # fmt: skip
    tab = await console.tab(f"/nodes/{node}")
    await tab.wait(f"{SECTION}?.querySelectorAll('tbody tr').length === 2")
    text = await tab.js(f"{SECTION}.innerText")
    for words in ("a process has failed, major", "x.conf:3", "it did not answer 3 pings", "4711"):
        assert words in text
    assert f"roost host processes {node}" in text


async def test_a_node_that_watches_none_has_no_such_section(console):
    tab = await console.tab(f"/nodes/{console.fleet.rows[0]['site']}.n1")
    await tab.wait("document.querySelector('.orders')?.innerText.includes('Nothing was ordered')")
    assert await tab.js(f"{SECTION} === null")
    assert tab.complaints == []
