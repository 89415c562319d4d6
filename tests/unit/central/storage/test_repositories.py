"""One contract for every database: what a repository gives back is what it was given."""

from dataclasses import replace

import pytest
from msgspec import UNSET
from sqlalchemy import select

from roost_central.access.chain import Act
from roost_central.access.core import Grant
from roost_central.alarms.incident_row import Cause, IncidentRow
from roost_central.alarms.row import Ack, AlarmRow, Shelved
from roost_central.alarms.transition import Transition
from roost_central.errors import StorageRefusedError
from roost_central.inventory.facts import FieldChange, Section, StarredValue
from roost_central.storage import (
    alarms,
    audit,
    claims,
    dead_letters,
    events,
    held_items,
    incidents,
    inventory,
    marks,
    nodes,
    saved_views,
    settings,
    shelves,
    sites,
    tables,
    tokens,
    upsert,
)
from roost_central.storage.last_reports import HA, LastReport
from roost_central.storage.tokens import TokenRecord
from roost_protocol.ha_report import HaGroup, HaPeer, HaReport, HaRole, HaWay
from roost_protocol.severity import Severity

SITE = sites.SiteRecord("lab", 3, {"region": "west"}, 48.1, 11.5, 1, 1_000)
NODE = nodes.NodeRecord("lab.n1", "lab", "n1", 1_000, boot_id=b"b" * 16, incarnation=7)


@pytest.fixture
async def fleet(database):
    async with database.write() as connection:
        await sites.save(connection, [SITE])
        await nodes.save(connection, [NODE])
    return database


async def test_sites_come_back_as_they_were_given(fleet):
    async with fleet.read() as connection:
        assert await sites.load_all(connection) == [SITE]


async def test_views_come_back_by_owner_and_name_and_no_name_stands_twice(database):
    view = saved_views.ViewRecord("01A", "jd", "West", "alarms", "q=region:r01", 1_000)
    other = saved_views.ViewRecord("01B", "jd", "East", "fleet", "", 2_000)
    theirs = saved_views.ViewRecord("01C", "kim", "West", "events", "", 3_000)
    async with database.write() as connection:
        for each in (view, other, theirs):
            await saved_views.save(connection, each)
    with pytest.raises(StorageRefusedError):
        async with database.write() as connection:
            await saved_views.save(connection, replace(other, name="West"))
    async with database.write() as connection:
        await saved_views.save(connection, replace(view, query="q=sev=major"))
        await saved_views.remove(connection, "01C")
    async with database.read() as connection:
        assert await saved_views.of_owner(connection, "jd") == [
            other,
            replace(view, query="q=sev=major"),
        ]
        assert await saved_views.find(connection, "01B") == other
        assert await saved_views.find(connection, "01C") is None


async def test_a_changed_site_keeps_its_time_of_creation(fleet):
    changed = sites.SiteRecord("lab", 3, {}, None, None, 2, 9_000)
    async with fleet.write() as connection:
        await sites.save(connection, [changed])
        (kept,) = await sites.load_all(connection)
    assert kept == sites.SiteRecord("lab", 3, {}, None, None, 2, 1_000)


async def test_whether_a_site_is_managed_is_written_by_that_act_alone(fleet):
    async with fleet.write() as connection:
        await sites.save(connection, [sites.SiteRecord("b", 3, {}, None, None, 1, 9)])
        await sites.manage(connection, ["lab"], managed=False, why="rebuilt", since_ms=7)
        await sites.save(connection, [sites.SiteRecord("lab", 3, {"a": "b"}, None, None, 2, 9)])
        lab, other = sorted(await sites.load_all(connection), key=lambda each: each.site)[::-1]
    assert (lab.managed, lab.managed_why, lab.managed_since_ms) == (False, "rebuilt", 7)
    assert (lab.labels, other.managed, other.managed_since_ms) == ({"a": "b"}, True, None)


async def test_labels_of_nodes_outlive_what_ingest_writes_of_them(fleet):
    async with fleet.write() as connection:
        await nodes.set_labels(connection, {"lab.n1": {"rack": "7", "ü": "°"}})
        await sites.revise(connection, ["lab", "none"])
        await nodes.save(
            connection, [nodes.NodeRecord("lab.n1", "lab", "n1", 5, presence="online")]
        )
        kept = {each.node: each for each in await nodes.load_all(connection)}
        (lab,) = await sites.load_all(connection)
    assert (kept["lab.n1"].labels, kept["lab.n1"].presence) == ({"rack": "7", "ü": "°"}, "online")
    assert lab.revision == 2


async def test_a_site_takes_its_nodes_with_it_and_leaves_its_events(fleet):
    async with fleet.write() as connection:
        await marks.save(connection, [marks.Mark("lab.n1", b"s" * 16, "bulk", 4, 1)])
        await events.append(
            connection, [events.NewEvent(1, 1, "node", "100.101", 1, "x", site="lab")]
        )
        assert await sites.delete(connection, "lab")
        assert not await sites.delete(connection, "lab")
        assert await nodes.load_all(connection) == []
        assert await marks.load(connection, {"lab.n1"}) == []
        assert len(await events.page(connection, events.EventQuery(site="lab"))) == 1


async def test_a_node_of_no_site_is_refused(fleet):
    async def intrude():
        async with fleet.write() as connection:
            await nodes.save(connection, [nodes.NodeRecord("x.n1", "x", "n1", 1)])

    with pytest.raises(StorageRefusedError):
        await intrude()


async def test_saving_presence_leaves_the_inventory_head(fleet):
    async with fleet.write() as connection:
        await inventory.save_heads(
            connection, [inventory.HeadRecord("lab.n1", 5, b"d" * 8, as_of_ms=77)]
        )
        await nodes.save(connection, [NODE])
        (kept,) = await nodes.load_all(connection)
    assert (kept.inventory_gen, kept.inventory_digest) == (5, b"d" * 8)


async def test_rows_past_the_bound_of_a_statement_are_written_all_the_same(fleet, monkeypatch):
    monkeypatch.setattr(upsert, "VALUES_MAX", 50)  # a handful of rows
    names = [f"lab.m{number:02}" for number in range(23)]
    async with fleet.write() as connection:
        rows = [nodes.NodeRecord(node, "lab", node.partition(".")[2], 1) for node in names]
        await nodes.save(connection, rows)
        heads = [
            inventory.HeadRecord(node, gen, node.encode(), as_of_ms=9)
            for gen, node in enumerate(names)
        ]
        await inventory.save_heads(
            connection, [*heads, inventory.HeadRecord("lab.gone", 1, b"", 1)]
        )
        kept = {row.node: row for row in await nodes.load_all(connection)}
    assert {node: kept[node].inventory_gen for node in names} == {
        node: gen for gen, node in enumerate(names)
    }
    assert all(kept[node].inventory_digest == node.encode() for node in names)
    assert kept["lab.n1"].inventory_gen is None
    assert "lab.gone" not in kept


async def test_paths_come_back_as_they_were_given(fleet):
    path = nodes.PathRecord("lab.n1", "wan1", "wan", "up", 1, 2, 3, 4, 5)
    async with fleet.write() as connection:
        await nodes.save_paths(connection, ["lab.n1"], [path])
        assert await nodes.load_paths(connection) == [path]


async def test_a_path_that_a_node_has_no_more_is_gone_and_those_of_others_stay(fleet):
    one, two = (nodes.PathRecord("lab.n1", name, "wan", "up") for name in ("wan1", "wan2"))
    other = nodes.PathRecord("lab.n2", "wan2", "wan", "up")
    async with fleet.write() as connection:
        await nodes.save(connection, [nodes.NodeRecord("lab.n2", "lab", "n2", 1)])
        await nodes.save_paths(connection, ["lab.n1", "lab.n2"], [one, two, other])
        await nodes.save_paths(connection, ["lab.n1"], [one])
        assert await nodes.load_paths(connection) == [one, other]


async def test_thousands_of_rows_go_in_with_each_value_in_its_column(fleet):
    rows = [
        nodes.NodeRecord(f"lab.m{i}", "lab", f"m{i}", i, heard_ms=i * 3, agent=f"v{i}")
        for i in range(2_345)
    ]
    async with fleet.write() as connection:
        await nodes.save(connection, rows)
        kept = {node.node: node for node in await nodes.load_all(connection)}
    assert all(kept[row.node] == row for row in rows)


async def test_of_two_rows_with_one_key_the_last_counts(fleet):
    old = marks.Mark("lab.n1", b"s" * 16, "bulk", 4, 1)
    new = marks.Mark("lab.n1", b"s" * 16, "bulk", 9, 2)
    async with fleet.write() as connection:
        await marks.save(connection, [old, new])
        assert await marks.load(connection, {"lab.n1"}) == [new]


async def test_only_the_last_streams_of_a_lane_are_kept(fleet):
    async with fleet.write() as connection:
        for number in range(12):
            stream = bytes([number]) * 16
            await marks.save(connection, [marks.Mark("lab.n1", stream, "bulk", 1, number)])
        await marks.save(connection, [marks.Mark("lab.n1", b"a" * 16, "alarm", 1, 0)])
        await marks.forget_old(connection, "lab.n1", "bulk")
        kept = await marks.load(connection, {"lab.n1"})
    assert sorted(mark.at_ms for mark in kept if mark.lane == "bulk") == list(range(4, 12))
    assert [mark.lane for mark in kept].count("alarm") == 1


async def test_events_page_both_ways_without_gap_or_overlap(database):
    async with database.write() as connection:
        await events.append(
            connection,
            [
                events.NewEvent(i, i, "node", "100.101", i % 5, f"e{i}", params={"i": i})
                for i in range(25)
            ],
        )
        newest = await events.page(connection, events.EventQuery(), limit=10)
        older = await events.page(connection, events.EventQuery(), before=newest[-1].seq, limit=100)
        forward = await events.page(connection, events.EventQuery(), after=0, limit=100)
        major = await events.page(connection, events.EventQuery(severity_min=3), limit=100)
    assert [event.params["i"] for event in newest + older] == list(reversed(range(25)))
    assert [event.params["i"] for event in forward] == list(range(25))
    assert {event.severity for event in major} == {3, 4}


async def test_events_are_bounded_by_rows_and_by_age(database):
    day_ms = 86_400_000
    async with database.write() as connection:
        await events.append(
            connection,
            [events.NewEvent(i, i * day_ms, "node", "100.101", 1, "") for i in range(10)],
        )
        assert await events.prune(connection, now_ms=10 * day_ms, limit=1, days_max=8) == 1
        assert await events.prune(connection, now_ms=10 * day_ms, limit=9, days_max=8) == 1
        assert await events.prune(connection, now_ms=10 * day_ms, limit=9, rows_max=3) == 5
        assert len(await events.page(connection, events.EventQuery())) == 3
        await events.prune(connection, now_ms=10**15, limit=9)
        await events.append(connection, [events.NewEvent(1, 1, "node", "100.101", 1, "")])
        (last,) = await events.page(connection, events.EventQuery())
    assert last.seq == 11, "a number is never used again, even when the log was emptied"


async def test_dead_letters_are_bounded_in_number_and_size(database, monkeypatch):
    monkeypatch.setattr(dead_letters, "ROWS_MAX", 20)
    letters = [
        dead_letters.NewDeadLetter(i, "lab.n1", "t", "type", "d", b"x" * 5_000) for i in range(30)
    ]
    async with database.write() as connection:
        await dead_letters.append(connection, letters)
        kept = await dead_letters.page(connection, limit=100)
        assert await dead_letters.count(connection) == 20
    assert [letter.received_ms for letter in kept] == list(reversed(range(10, 30)))
    assert {(letter.size_bytes, len(letter.payload)) for letter in kept} == {(5_000, 4_096)}


def held(node, n, body=b"x" * 5_000):
    return held_items.NewHeldItem(node, n, 1, b"b" * 16, 7, "bulk", n, "event", "t" * 600, body)


async def test_held_items_are_bounded_of_each_node_of_all_in_size_and_in_time(
    database, monkeypatch
):
    monkeypatch.setattr(held_items, "NODE_ROWS_MAX", 20)
    monkeypatch.setattr(held_items, "ROWS_MAX", 30)
    async with database.write() as connection:
        await held_items.append(connection, [held("lab.n1", n) for n in range(25)])
        await held_items.append(connection, [held("lab.n2", 99)])
        flooded = await held_items.page(connection, "lab.n1")
        assert [item.item_seq for item in flooded] == list(reversed(range(5, 25)))
        assert {(item.size_bytes, len(item.body), len(item.text)) for item in flooded} == {
            (5_000, 4_096, 512)
        }
        assert [item.item_seq for item in await held_items.page(connection, "lab.n2")] == [99]
        page = await held_items.page(connection, "lab.n1", before=flooded[4].seq, limit=2)
        assert [item.item_seq for item in page] == [19, 18]
        await held_items.append(connection, [held(f"lab.m{n}", n) for n in range(29)])
        assert await held_items.page(connection, "lab.n1") == []
        late_ms = held_items.DAYS_MAX * 86_400_000 + 20
        assert await held_items.prune(connection, now_ms=late_ms) == 20


async def test_who_floods_pushes_out_nothing_that_another_node_said(database, monkeypatch):
    monkeypatch.setattr(held_items, "NODE_ROWS_MAX", 20)
    monkeypatch.setattr(held_items, "ROWS_MAX", 30)
    async with database.write() as connection:
        await held_items.append(connection, [held("lab.n2", 99)])
        for turn in range(5):
            await held_items.append(connection, [held("lab.n1", turn * 9 + n) for n in range(9)])
        assert [item.item_seq for item in await held_items.page(connection, "lab.n2")] == [99]
        assert len(await held_items.page(connection, "lab.n1")) == 20


async def test_the_epoch_stays_until_it_is_renewed(database):
    class Dice:
        def __init__(self):
            self.rolls = iter(range(256))

        def token(self, size):
            return bytes([next(self.rolls)]) * size

    async with database.write() as connection:
        dice = Dice()
        first = await settings.central_epoch(connection, dice)
        assert await settings.central_epoch(connection, dice) == first
        assert await settings.renew_epoch(connection, dice) != first


async def test_tokens_are_found_by_hash_and_revoked_by_name(database):
    token = TokenRecord(b"h" * 32, "ci", "ann", 1, (Grant("viewer", "region:r1"),))
    async with database.write() as connection:
        await tokens.add(connection, token)
        await tokens.touch(connection, {b"h" * 32: 9})
        found = await tokens.find(connection, b"h" * 32)
        assert found == replace(token, used_ms=9)
        assert await tokens.delete(connection, "ci")
        assert await tokens.find(connection, b"h" * 32) is None


async def test_an_inventory_comes_back_as_it_was_given(fleet):
    section = Section(
        "nic", 3, b"d" * 8, 5, 6, {"a": {"mtu": 1500, "up": True, "x": None}}, {"a.x": "denied"}
    )
    async with fleet.write() as connection:
        assert await inventory.current(connection, "lab.n1") is None
        await inventory.save_sections(connection, [("lab.n1", section)], received_ms=7)
        await inventory.save_heads(
            connection, [inventory.HeadRecord("lab.n1", 3, b"n" * 8, as_of_ms=5)]
        )
        whole = await inventory.current(connection, "lab.n1")
        await inventory.delete_section(connection, "lab.n1", "nic")
        assert await inventory.sections(connection, "lab.n1") == {}
    assert whole.sections["nic"].items == section.items
    assert whole.sections["nic"].missing == section.missing
    assert (whole.gen, whole.digest, whole.sections["nic"].received_ms) == (3, b"n" * 8, 7)


async def test_changes_tell_absent_from_null_and_are_bounded(fleet):
    change = FieldChange("nic", "a", "mtu", UNSET, None)
    async with fleet.write() as connection:
        for at_ms in range(5):
            await inventory.append_changes(connection, [("lab.n1", 1, change)], at_ms=at_ms)
        found = await inventory.changes(connection, "lab.n1", since_ms=1)
        assert [row.at_ms for row in found] == [4, 3, 2]
        assert (found[0].old, found[0].new) == (UNSET, None)
        assert await inventory.prune_changes(connection, now_ms=10, limit=2, rows_max=2) == 2
        assert await inventory.prune_changes(connection, now_ms=10, limit=9, rows_max=2) == 1


async def test_indexed_values_are_put_and_taken_one_by_one(fleet):
    text = StarredValue("nic", "a", "driver", text="ice")
    number = StarredValue("nic", "a", "speed_mbps", number=25_000.0)
    async with fleet.write() as connection:
        await inventory.save_values(connection, [("lab.n1", text), ("lab.n1", number)])
        await inventory.delete_values(connection, [("lab.n1", text)])
        rows = (await connection.execute(select(tables.inventory_value))).mappings().all()
    assert [(row["field"], row["text"], row["number"]) for row in rows] == [
        ("speed_mbps", None, 25_000.0)
    ]


ALARM = AlarmRow(
    key_id="k" * 16,
    id="01A",
    type="100.104",
    entity="site=lab,node=n1,fs=/v\0ar",
    site="lab",
    node="lab.n1",
    reporter="lab.n1",
    said="fs=/v\0ar",
    severity=Severity.MAJOR,
    text="93 %",
    params={"value": 93.5, "what": None},
    raised_ms=1,
    changed_ms=2,
    received_ms=3,
    seq=1,
    ack=Ack("jd", 4, "seen"),
    shelf=Shelved("s", "jd", 5, "lab"),
)
INCIDENT = IncidentRow(
    id="INC-1",
    type="100.104",
    severity=Severity.CRITICAL,
    opened_ms=1,
    changed_ms=2,
    causes=[Cause("a=b", {"a": ["b"]}, 0.9, 4, 5)],
)


def step(seq, event="raise", alarm=ALARM, at_ms=1_000, **more):
    return Transition(seq=seq, at_ms=1, received_ms=at_ms, event=event, alarm=alarm, **more)


async def test_alarms_come_back_as_they_were_given_and_go(database):
    other = AlarmRow(
        **{name: getattr(ALARM, name) for name in ALARM.__struct_fields__}
        | {"key_id": "x", "id": "01B", "seq": 0}
    )
    async with database.write() as connection:
        await alarms.save(connection, [ALARM, other])
        await alarms.save(connection, [ALARM])
        assert await alarms.load_all(connection) == [other, ALARM]
        await alarms.remove(connection, ["x"])
        assert await alarms.load_all(connection) == [ALARM]
        await alarms.remove(connection, [])


async def test_transitions_are_read_in_both_directions_and_by_what_they_are_about(database):
    about = step(3, "incident-open", None, incident=INCIDENT, actor="jd", note="x\0y")
    async with database.write() as connection:
        assert await alarms.last_seq(connection) == 0
        steps = [step(1), step(2, "clear"), about]
        await alarms.append(connection, steps)
        assert await alarms.last_seq(connection) == 3
        kept = await alarms.after(connection, 0, 10)
        assert [each.seq for each in kept] == [1, 2, 3]
        assert kept[0] == steps[0]
        assert kept[2].incident == INCIDENT
        assert [each.seq for each in await alarms.after(connection, 1, 1)] == [2]
        life = await alarms.of_alarm(connection, ALARM.key_id, before=None, limit=9)
        assert [each.seq for each in life] == [2, 1]
        closed = await alarms.closed(connection, alarms.Span(), before=None, limit=9)
        assert [each.seq for each in closed] == [2]
        span = alarms.Span(since_ms=1_001, until_ms=2_000)
        assert await alarms.closed(connection, span, before=None, limit=9) == []
        assert (await alarms.last_of_episode(connection, "01A")).seq == 2
        assert await alarms.last_of_episode(connection, "none") is None
        assert [s.seq for s in await alarms.newest(connection, before=3, limit=1)] == [2]


async def test_transitions_are_kept_by_time_and_number_and_never_the_newest(database):
    day_ms = 86_400_000
    async with database.write() as connection:
        await alarms.append(connection, [step(n, at_ms=n * day_ms) for n in range(1, 6)])
        assert await alarms.prune(connection, now_ms=402 * day_ms, limit=9) == 1
        assert await alarms.prune(connection, now_ms=5 * day_ms, limit=1, rows_max=2) == 1
        assert await alarms.prune(connection, now_ms=5 * day_ms, limit=9, rows_max=2) == 1
        assert await alarms.prune(connection, now_ms=9_999 * day_ms, limit=9) == 1
        assert [each.seq for each in await alarms.after(connection, 0, 9)] == [5]


async def test_shelves_and_suppressions_come_back_and_go(database):
    shelf = shelves.ShelfRecord("s1", "jd", "lab", 1, 2, "sev=major", [])
    keyed = shelves.ShelfRecord("s2", "jd", "lab", 2, 3, "", ["a", "b"])
    off = shelves.SuppressionRecord("u1", "100.104", "jd", "known", 1, None, "")
    async with database.write() as connection:
        for each in (shelf, keyed):
            await shelves.save_shelf(connection, each)
        await shelves.save_suppression(connection, off)
        assert await shelves.load_shelves(connection) == [shelf, keyed]
        assert await shelves.load_suppressions(connection) == [off]
        await shelves.remove_shelves(connection, ["s1"])
        await shelves.remove_suppressions(connection, ["u1"])
        await shelves.remove_shelves(connection, [])
        await shelves.remove_suppressions(connection, [])
        assert await shelves.load_shelves(connection) == [keyed]
        assert await shelves.load_suppressions(connection) == []


async def test_incidents_have_pages_and_the_closed_ones_go(database):
    day_ms = 86_400_000
    rows = [
        IncidentRow(
            id=f"INC-{n}",
            state="open" if n == 3 else "closed",
            type="100.104",
            severity=Severity.MAJOR,
            opened_ms=n,
            changed_ms=n,
        )
        for n in range(1, 4)
    ]
    async with database.write() as connection:
        await incidents.save(connection, rows)
        assert await incidents.load_open(connection) == rows[2:]
        assert await incidents.find(connection, "INC-1") == rows[0]
        assert await incidents.find(connection, "INC-9") is None
        assert await incidents.page(connection, None, before=None, limit=2) == rows[:0:-1]
        assert await incidents.page(connection, "closed", before="INC-2", limit=2) == rows[:1]
        assert await incidents.prune(connection, now_ms=500 * day_ms) == 2


async def test_acts_are_kept_with_their_detail_and_by_time(database):
    acts = [
        Act(n, "jd", "admin", "alarm.ack", "sev=major\0", {"matched": n, "note": "x"})
        for n in range(1, 4)
    ]
    async with database.write() as connection:
        await audit.add(connection, *acts)
        page = await audit.page(connection, before=None, limit=2)
        assert [each.act.at_ms for each in page] == [3, 2]
        assert page[0].act.detail == {"matched": 3, "note": "x"}
        rest = await audit.page(connection, before=page[-1].seq, limit=2)
        assert [each.act.at_ms for each in rest] == [1]
        assert await audit.prune(connection, now_ms=731 * 86_400_000) == 0  # once a day
        assert await audit.prune(connection, now_ms=732 * 86_400_000) == 3


async def test_the_last_word_on_local_ha_stands_in_place_of_the_one_before(fleet):
    report = HaReport(
        v=1,
        profile="fast",
        nodes=["n1", "n2"],
        voters=["n1", "n2"],
        cfgver=7,
        sticky=True,
        groups=[HaGroup(name="main", model="2N", hosts=["n1"], role=HaRole.ACTIVE, epoch=8)],
        ways=[HaWay("lan/n1", "lan", "mqtt", "n1")],
        peers=[HaPeer("n2", "alive", 5, {"0": "up"})],
        faults=["a \N{SNOWMAN}\0"],
    )
    later = HaReport(v=1, profile="fast", nodes=["n1"], voters=["n1"], cfgver=8)
    async with fleet.write() as connection:
        await HA.save(connection, [LastReport("lab.n1", 1, 2, report)])
        assert await HA.load_all(connection) == [LastReport("lab.n1", 1, 2, report)]
        await HA.save(connection, [LastReport("lab.n1", 3, 4, later)])
        assert await HA.load_all(connection) == [LastReport("lab.n1", 3, 4, later)]
        await sites.delete(connection, "lab")
        assert await HA.load_all(connection) == []


async def test_a_claim_may_be_asked_for_by_any_text(database):
    async with database.read() as connection:
        assert await claims.find(connection, "\0") is None
