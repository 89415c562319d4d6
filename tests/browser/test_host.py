"""A host on its node's page: state and why, what it would break, and who may force; all hosts."""

import asyncio
import json

import pytest
from fake_alarms import instant, now_ms
from fake_host import spoken
from test_enrol import DIALOG, fill, send

pytestmark = pytest.mark.browser
LOOK_S = 1.2  # a little more than node/follow.js waits between two looks
SECTION = "document.querySelector('.processes')"
HOST = "document.querySelector('section.host')"


def button(words):
    return f"[...document.querySelectorAll('.host button')].find((b) => b.innerText === '{words}')"


def picked(words):
    filters = "[...document.querySelectorAll('.host-filters a')]"
    return f"{filters}.find((a) => a.innerText === '{words}')"


async def opened(console, **said):
    node = f"{console.fleet.rows[0]['site']}.n1"
    console.central.host.states[node] = spoken(**said)
    at = instant(now_ms() - 60_000)
    was = {"admin": "unlocked", "oper": "enabled", "avail": "available"}
    console.central.host.moves[node] = [
        {"at": at, "received": at, "was": was, "admin": "unlocked", "oper": "disabled",
         "avail": "failed", "cause": "its heartbeat is lost", "task": "", "epoch": 8}
    ]  # fmt: skip
    tab = await console.tab(f"/nodes/{node}")
    await tab.wait(f"{HOST}?.querySelector('.host-acts button')")
    return tab, node


async def test_a_host_is_shown_with_why_since_when_and_how_it_came_there(console):
    reasons = [{"reason": "process", "since": instant(now_ms() - 300_000), "age_s": 300}]
    until = instant(now_ms() + 600_000)
    tab, node = await opened(
        console, avail="degraded", reasons=reasons, task="waits", maintenance_until=until
    )
    await tab.wait("document.querySelector('.host-moves')")
    text = await tab.js(f"{HOST}.innerText")
    for words in (
        "degraded", "unlocked, enabled", "waits", "Degraded by process for 5 m", "epoch 8",
        "In maintenance until", "its heartbeat is lost", f"roost host show {node}",
    ):  # fmt: skip
        assert words in text
    assert tab.complaints == []


async def test_an_act_tells_what_it_would_break_and_is_sent_with_the_state_it_was_decided_on(
    console,
):
    tab, node = await opened(console)
    await tab.js(f"{button('Lock…')}.click()")
    await tab.wait(f"{DIALOG}?.open")
    text = await tab.js(f"{DIALOG}.innerText")
    assert "web (nginx) moves to n2" in text
    assert "agents (probe) stops on n1" in text
    await fill(tab, "reason", "a fan")
    assert f"roost host lock {node} -m 'a fan'" in await tab.js(f"{DIALOG}.innerText")
    await send(tab)
    await tab.wait(
        f"{HOST}.querySelector('[role=status]').innerText === 'lock: done, it is locked'"
    )
    [(meant, action, body)] = console.central.host.acts
    assert (meant, action, body["force"], body["confirm"]) == (node, "lock", False, "")
    assert body["expect"] == {
        "admin": "unlocked", "oper": "enabled", "avail": "available", "generation": 3,
    }  # fmt: skip


async def test_an_order_is_looked_after_until_the_page_is_left(console):
    host = console.central.host
    host.is_slow = True
    tab, _ = await opened(console)
    await tab.js(f"{button('Lock…')}.click()")
    await tab.wait(f"{DIALOG}?.open")
    await fill(tab, "reason", "a fan")
    await send(tab)
    await tab.wait(f"{HOST}.querySelector('[role=status]').innerText === 'lock: the node has it'")
    await tab.js("document.querySelector('nav.pages a[href=\"/events\"]').click()")
    await tab.wait("document.querySelector('.events')")
    await asyncio.sleep(LOOK_S)  # one that was on its way has come
    looks = host.looks
    await asyncio.sleep(2 * LOOK_S)
    assert host.looks == looks


async def test_what_is_in_the_way_is_told_and_force_takes_the_nodes_name(console):
    tab, node = await opened(console)
    await tab.js("document.querySelector('.in-way summary').click()")
    text = await tab.js("document.querySelector('.in-way').innerText")
    assert "n1 is unlocked" in text
    assert "roost host lock" in text
    forces = "document.querySelectorAll('.in-way button')"
    assert await tab.js(f"{forces}.length") == 1
    await tab.js(f"{forces}[0].click()")
    await tab.wait(f"{DIALOG}?.open")
    assert "Goes past" in await tab.js(f"{DIALOG}.innerText")
    await fill(tab, "reason", "it hangs")
    await fill(tab, "confirm", "lab.n9")
    await send(tab)
    await tab.wait(f"{DIALOG}.querySelector('[role=alert]')?.innerText.includes('type just that')")
    assert console.central.host.acts == []
    await fill(tab, "confirm", node)
    await send(tab)
    await tab.wait(f"!{DIALOG}?.open")
    [(_, action, body)] = console.central.host.acts
    assert (action, body["force"], body["confirm"]) == ("reboot", True, node)


async def test_a_maintenance_is_for_a_while(console):
    tab, _ = await opened(console)
    await tab.js(f"{button('Maintenance…')}.click()")
    await tab.wait(f"{DIALOG}?.open")
    await fill(tab, "reason", "cabling")
    await send(tab)
    await tab.wait(f"!{DIALOG}?.open")
    assert console.central.host.acts[0][2]["seconds"] == 7_200


async def test_a_reinstall_names_its_image_and_the_line_for_a_terminal_does_too(console):
    tab, node = await opened(console)
    await tab.js(f"{button('Reinstall…')}.click()")
    await tab.wait(f"{DIALOG}?.open")
    for name, value in (("reason", "its disk"), ("image", "os@2.1"), ("confirm", node)):
        await fill(tab, name, value)
    line = f"roost host reinstall {node} --image os@2.1 -m 'its disk'"
    await tab.wait(f"{DIALOG}.innerText.includes({json.dumps(line)})")
    await send(tab)
    await tab.wait(f"!{DIALOG}?.open")
    [(_, action, body)] = console.central.host.acts
    assert (action, body["image"], body["confirm"]) == ("reinstall", "os@2.1", node)


async def test_hosts_are_found_by_state_and_reason(console):
    states = console.central.host.states
    states["a.n1"], states["a.n2"] = spoken(), spoken("failed", cause="pump <b>failed</b>")
    tab = await console.tab("/hosts")
    rows = "[...document.querySelectorAll('.hosts-list tbody tr')].map((r) => r.innerText)"
    await tab.wait(f"{rows}.length === 2")
    await tab.js(f"{picked('failed')}.click()")
    await tab.wait(f"{rows}.length === 1")
    assert "pump <b>failed</b>" in (await tab.js(rows))[0]
    assert console.central.host.filters[-1] == "avail=failed"
    await tab.js(f"{picked('process')}.click()")
    await tab.wait("new URLSearchParams(location.search).get('q') === 'degrade=process'")
    assert tab.complaints == []


async def test_a_node_that_nobody_spoke_of_has_no_such_section(console):
    tab = await console.tab(f"/nodes/{console.fleet.rows[0]['site']}.n1")
    await tab.wait("document.querySelector('.orders')?.innerText.includes('Nothing was ordered')")
    assert await tab.js(f"{HOST} === null")


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
            {"process": "web", "state": "running", "mode": "socket", "severity": "minor",
             "since": "2026-11-28T08:00:00Z", "pid": 4711, "restarts": 0, "in_row": 0,
             "reason": "", "file": "/etc/pmon.d/web.conf"},
        ],
    }  # fmt: skip
    tab = await console.tab(f"/nodes/{node}")
    await tab.wait(f"{SECTION}?.querySelectorAll('tbody tr').length === 2")
    text = await tab.js(f"{SECTION}.innerText")
    whole = (
        "a process has failed, major",
        "x.conf:3",
        "it did not answer 3 pings",
        "4711",
        "socket",
    )
    for words in whole:
        assert words in text
    assert f"roost host processes {node}" in text


async def test_a_node_that_watches_none_has_no_such_section(console):
    tab = await console.tab(f"/nodes/{console.fleet.rows[0]['site']}.n1")
    await tab.wait("document.querySelector('.orders')?.innerText.includes('Nothing was ordered')")
    assert await tab.js(f"{SECTION} === null")
    assert tab.complaints == []


async def test_sensors_of_a_board_controller_are_shown_the_worst_first(console):
    node = f"{console.fleet.rows[0]['site']}.n1"
    none = dict.fromkeys(("lnr", "lcr", "lnc", "unc", "ucr", "unr"))
    console.central.host.sensors[node] = {
        "as_of": "2026-11-28T09:00:00Z", "age_s": 3, "read": "2026-11-28T09:00:00Z",
        "fault": "timeout: no answer", "power": "on", "dropped": 0,
        "sensors": [
            *({"sensor": f"VRM {n}", "group": "voltage", "value": 12, "unit": "V", "level": "ok",
               "thresholds": none, "suppressed": False, "key": f"k{n}"} for n in range(12)),
            {"sensor": "CPU", "group": "temperature", "value": 85, "unit": "C", "level": "major",
             "thresholds": none | {"unc": 70, "ucr": 80}, "suppressed": False, "key": "c"},
        ],
    }  # fmt: skip
    section = "document.querySelector('.sensors')"
    tab = await console.tab(f"/nodes/{node}")
    await tab.wait(f"{section}?.querySelectorAll('tbody tr').length === 12")
    text = await tab.js(f"{section}.innerText")
    for words in ("It is not read: timeout: no answer", "85 C", "70 / 80", "Show all 13"):
        assert words in text
    assert "CPU" in await tab.js(f"{section}.querySelector('tbody tr').innerText")
    await tab.js(f"{section}.querySelector('button[aria-expanded]').click()")
    await tab.wait(f"{section}.querySelectorAll('tbody tr').length === 13")
    assert tab.complaints == []


DIALOG_OF = "document.querySelector('.sensors dialog')"


def typed(name, value):
    return f"""(() => {{
      const input = document.querySelector(".sensors dialog [name={name}]");
      input.value = "{value}";
      const what = input.tagName === "SELECT" ? "change" : "input";
      input.dispatchEvent(new Event(what, {{ bubbles: true }}));
    }})()"""


async def test_how_sensors_count_is_shown_and_changed_by_group_and_by_sensor(console):
    node = f"{console.fleet.rows[0]['site']}.n1"
    console.central.host.give_board(node)
    (group,) = console.central.host.groups[node]
    idle = group | {"group": "fans", "sensors": 0, "is_set": False}
    console.central.host.groups[node] = [group | {"critical": "alarm"}, idle]
    section = "document.querySelector('.sensor-groups')"
    tab = await console.tab(f"/nodes/{node}")
    await tab.wait(f"{section}?.querySelectorAll('tbody tr').length === 1")
    text = await tab.js(f"{section}.innerText")
    for words in ("temperature", "all but 1", "as its board", "log"):
        assert words in text
    await tab.js(
        f"{section}.querySelector('button[aria-label=\"Change how temperature count\"]').click()"
    )
    await tab.wait(f"{DIALOG_OF}?.open")
    for name, value in (("critical", "power-cycle"), ("interval_s", "600"), ("reason", "hot rack")):
        await tab.js(typed(name, value))
    await tab.wait(f"{DIALOG_OF}.innerText.includes('--interval-s 600 --critical power-cycle')")
    await tab.js(f"{DIALOG_OF}.querySelector('button.primary').click()")
    await tab.wait("document.querySelector('.sensors .said').innerText.startsWith('Changed')")
    await tab.js("document.querySelector('.sensors button[aria-label=\"Count Inlet\"]').click()")
    await tab.wait(f"{DIALOG_OF}?.innerText.includes('--count-sensor k')")
    await tab.js(typed("reason", "mended"))
    await tab.js(f"{DIALOG_OF}.querySelector('button.primary').click()")
    await tab.wait(f"!{DIALOG_OF}")
    assert console.central.host.group_acts == [
        (node, "temperature", {"critical": "power-cycle", "interval_s": 600, "reason": "hot rack"}),
        (node, "temperature", {"sensors": {"k": False}, "reason": "mended"}),
    ]
    assert tab.complaints == []


BOARD = {
    "as_of": "2026-11-28T09:00:00Z", "age_s": 3, "speaker": "n1", "protocol": "redfish",
    "maker": "LabCorp", "model": "E1", "firmware": "1.2", "machine": "u-1", "power": "on",
    "fault": "tls: it is not the one that was learned", "failures": 4, "todo": "relearn it",
    "configured": {
        "host": "10.0.9.12", "user": "roost", "has_password": True, "type": "redfish", "port": 443,
        "ipmi_port": 623, "cipher": 3, "uuid": "", "system": "", "ca": "", "interval_s": 0,
        "certificate_sha256": "", "changed": "2026-11-28T09:00:00Z", "by": "ada",
        "told": [{"node": "edge.n1", "state": "failed", "text": "another key", "at": None}],
    },
}  # fmt: skip


async def test_a_board_controller_is_shown_reached_and_set_and_its_password_is_nowhere(console):
    node = f"{console.fleet.rows[0]['site']}.n1"
    console.central.host.boards[node] = BOARD
    board = "document.querySelector('.board')"
    tab = await console.tab(f"/nodes/{node}")
    await tab.wait(f"{board}?.innerText.includes('LabCorp E1')")
    text = await tab.js(f"{board}.innerText")
    for words in (
        "not the one that was learned, 4 in a row",
        "relearn it",
        "another key",
        "by ada",
    ):
        assert words in text
    press = (
        f"[...{board}.querySelectorAll('button')].find((each) => each.innerText === '%s').click()"
    )
    await tab.js(press % "Test")
    await tab.wait(f"{board}.innerText.includes('failed, it refuses (credential)')")
    await tab.js(press % "Set…")
    await tab.wait(f"{board}.querySelector('dialog input[name=password]')?.type === 'password'")
    typed = """(() => {
      const input = document.querySelector(".board dialog input[name=%s]");
      input.value = "%s";
      input.dispatchEvent(new Event("input", { bubbles: true }));
    })()"""
    await tab.js(typed % ("password", "canary"))
    await tab.js(typed % ("reason", "new rack"))
    await tab.wait(f"{board}.querySelector('dialog').innerText.includes('new rack')")
    assert "canary" not in await tab.js(f"{board}.innerText")
    await tab.js(f"{board}.querySelector('dialog button.primary').click()")
    await tab.wait(f"{board}.innerText.includes('nodes of its site are told')")
    (_, _, _), (_, what, body) = console.central.host.board_acts
    assert (what, body["password"], body["host"], body["port"]) == (
        "set",
        "canary",
        "10.0.9.12",
        443,
    )
    assert "canary" not in await tab.js("document.documentElement.outerHTML")
    assert tab.complaints == []


async def test_a_board_controller_that_was_set_is_forgotten_with_a_reason(console):
    node = f"{console.fleet.rows[0]['site']}.n1"
    console.central.host.boards[node] = BOARD
    board = "document.querySelector('.board')"
    tab = await console.tab(f"/nodes/{node}")
    await tab.wait(f"{board}?.innerText.includes('LabCorp E1')")
    await tab.js(
        f"[...{board}.querySelectorAll('button')].find((b) => b.innerText === 'Forget…').click()"
    )
    await tab.wait("document.activeElement.name === 'reason'")
    await tab.type("scrapped")
    await tab.press("Enter")
    await tab.wait(f"{board}.innerText.includes('Nobody reads one')")
    assert console.central.host.board_acts == [(node, "forget", {"reason": "scrapped"})]
    assert "It is forgotten" in await tab.js(f"{board}.innerText")


async def test_the_first_board_controller_of_a_node_can_be_set(console):
    tab = await console.tab(f"/nodes/{console.fleet.rows[0]['site']}.n1")
    await tab.wait("document.querySelector('.board')?.innerText.includes('Nobody reads one')")
    assert await tab.js("document.querySelectorAll('.board .toolbar button').length") == 1


async def test_a_board_that_the_centre_polls_says_so_and_at_once_what_came_of_a_test(console):
    node = f"{console.fleet.rows[0]['site']}.n1"
    said = BOARD["configured"] | {"reached_by": "centre", "told": []}
    console.central.host.boards[node] = BOARD | {"speaker": "central", "configured": said}
    board = "document.querySelector('.board')"
    tab = await console.tab(f"/nodes/{node}")
    await tab.wait(f"{board}?.innerText.includes('the centre, and nobody acts by it')")
    await tab.js(
        f"[...{board}.querySelectorAll('button')].find((each) => each.innerText === 'Test').click()"
    )
    await tab.wait(f"{board}.innerText.includes('central: tls: another certificate; learn it')")
    assert tab.complaints == []
