"""The pure modules, asked one by one in the browser that runs them."""

import json

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
async def ask(console):
    """Evaluate an expression with one module of the app as ``m``."""
    tab = await console.context.tab()
    await tab.open(f"{console.url}/login")
    folder = f"/static/{console.central.pages.tree_hash}/app"

    async def evaluate(module: str, expression: str):
        return await tab.js(f"import('{folder}/{module}').then((m) => {expression})")

    return evaluate


STREAM = (
    'id: e-1\nevent: frame\ndata: {"a":1}\n\n: note\r\nevent: resync\r\ndata: x\r\ndata:y\r\n\r\n'
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_events_are_the_same_wherever_the_stream_is_cut(ask, size):
    pieces = [STREAM[i : i + size] for i in range(0, len(STREAM), size)]
    heard = await ask(
        "live/sse.js",
        "{ const heard = []; const parser = new m.EventStreamParser((e) => heard.push(e));"
        f" for (const piece of {json.dumps(pieces)}) parser.feed(piece); return heard; }}",
    )
    assert heard == [
        {"id": "e-1", "type": "frame", "data": '{"a":1}'},
        {"id": "e-1", "type": "resync", "data": "x\ny"},
    ]


async def test_an_event_without_an_end_is_refused_at_the_bound(ask):
    said = await ask(
        "live/sse.js",
        "{ const parser = new m.EventStreamParser(() => {});"
        " try { for (;;) parser.feed('data: ' + 'x'.repeat(1 << 20)); }"
        " catch (error) { return error.message; } }",
    )
    assert "bound" in said


GROUPS = """
  let next = 0;
  const groups = %s.map((size) => (
    { positions: Array.from({ length: size }, () => next++) }));
"""


async def test_a_moment_is_shown_as_one_and_a_length_of_time_as_one(ask):
    shown = "['btime_s', 'uptime_s'].map((field) => m.valueText(field, 1796025780))"
    moment, length = await ask("node/humanise.js", shown)
    assert moment.startswith("2026-11-30 ")
    assert length.endswith(" h")


async def test_every_cell_of_the_grid_is_found_where_it_is_drawn(ask):
    wrong = await ask(
        "fleet/layout.js",
        "{"
        + GROUPS % [1, 0, 37, 400, 3]
        + """
        const wrong = [];
        for (const width of [60, 300, 731, 1400]) {
          const layout = m.layOut(groups, width, 500);
          for (let i = 0; i < next; i += 1) {
            const { x, y } = m.cellAt(layout, i);
            const isFound = m.hit(layout, x + 1, y + 1) === i;
            if (!isFound || layout.cells[i] !== i) wrong.push([width, i]);
          }
        }
        return wrong; }""",
    )
    assert wrong == []


async def test_arrow_keys_reach_every_group_of_the_grid(ask):
    reached = await ask(
        "fleet/layout.js",
        "{"
        + GROUPS % [5, 30, 8, 41]
        + """
        const layout = m.layOut(groups, 450, 500);
        const seen = new Set([0]);
        const queue = [0];
        while (queue.length) {
          const at = queue.pop();
          for (const key of ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]) {
            const to = m.step(layout, at, key);
            if (!seen.has(to)) queue.push(to);
            seen.add(to);
          }
        }
        return seen.size === next; }""",
    )
    assert reached is True


async def test_a_label_with_very_many_values_becomes_one_last_group(ask):
    shape = await ask(
        "fleet/arrange.js",
        "{ const n = 500; const rows = [...Array(n).keys()];"
        " const columns = { site: rows.map((i) => `s${String(i).padStart(3, '0')}`),"
        "  'label.rack': rows.map((i) => `k${i}`) };"
        " const model = { generation: 1, size: n, codes: new Uint8Array(n),"
        "  column: (f) => columns[f] ?? [] };"
        " const a = m.arrange(model, { matches: () => true, group: 'rack', sort: '-rack' });"
        " return [a.groups.length, a.groups.at(-1).name, a.groups.at(-1).label,"
        "  a.groups[10].name, a.rows[0]]; }",
    )
    assert shape == [81, "420 other groups", None, "k10", 499]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("size_bytes", 34359738368, "32 GiB"),
        ("size_bytes", 0, "0 B"),
        ("base_khz", 2400000, "2.4 GHz"),
        ("speed_mts", 4800, "4,800 MT/s"),
        ("speed_mbps", 10000, "10 Gbit/s"),
        ("voltage_mv", 1200, "1.2 V"),
        ("max_mc", -5500, "-5.5 °C"),
        ("wear_pct", 3, "3 %"),
        ("ttl_s", 200000, "2 d 7 h"),
        ("numa", 0, "0"),
        ("smt", True, "yes"),
        ("cpus", [0, 1], "0, 1"),
        ("_s", 7, "7"),
    ],
)
async def test_a_value_is_told_in_its_unit(ask, field, value, expected):
    given = f"{json.dumps(field)}, {json.dumps(value)}"
    assert await ask("node/humanise.js", f"m.valueText({given})") == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ("null", "\N{EN DASH}"),
        ("-3", "0 s"),
        ("0.4", "0 s"),
        ("99", "99 s"),
        ("100", "1 m 40 s"),
        ("3599", "59 m 59 s"),
        ("3600", "1 h 00 m"),
        ("200000", "2 d 7 h"),
    ],
)
async def test_an_age_has_two_units_at_most(ask, seconds, expected):
    assert await ask("time.js", f"m.ageText({seconds})") == expected


async def test_a_time_tells_its_zone(ask):
    assert await ask("time.js", "m.timeText(0, 'utc')") == "1970-01-01 00:00:00Z"
    assert (await ask("time.js", "m.timeText(0, 'browser')"))[19] in "+\N{MINUS SIGN}"


async def test_fields_of_one_part_are_one_entry_newest_first(ask):
    items = [
        {"at": "2026-01-01T00:00:00Z", "gen": 1, "section": "nic", "item": "a", "field": f}
        | {"old": None, "new": 1}
        for f in ("x", "y")
    ]
    items.append(items[0] | {"at": "2026-01-02T00:00:00Z", "gen": 2, "old": 1, "new": None})
    parts = await ask(
        "node/changes.js",
        f"m.partsOf({json.dumps(items)}).map((p) => [p.kind, p.changes.length])",
    )
    assert parts == [["removed", 1], ["added", 2]]


async def test_a_first_inventory_is_one_line(ask):
    whole = {"at": "2026-11-22T10:00:00.000Z", "gen": 1, "item": "", "field": "", "old": None}
    items = [{**whole, "section": name, "new": "8 items"} for name in ("nic", "cpu")]
    listed = await ask(
        "node/changes.js",
        f"m.partsOf({json.dumps(items)}).map((p) => [p.kind, p.section])",
    )
    assert listed == [["added", "cpu, nic"]]


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("cpu_cache", "cpu cache added"),
        ("cpu, nic, tpm", "cpu, nic, tpm added"),
        ("cpu, nic, os, tpm", "4 classes added: cpu, nic, os, tpm"),
    ],
)
async def test_many_classes_at_once_are_counted(ask, section, expected):
    assert await ask("node/changes.js", f"m.wholeClasses({section!r}, 'added')") == expected


async def test_a_frame_of_another_epoch_or_already_applied_changes_nothing(ask):
    values = await ask(
        "fleet/model.js",
        "{ const model = new m.FleetModel();"
        " model.load({ epoch: 'a', frame: 5, now: 0, fields: ['row', 'site', 'status'],"
        "  cols: [[7], ['s'], ['ok']] });"
        " const seen = [];"
        " for (const [epoch, n, row, status] of [['b', 9, 7, 'down'], ['a', 5, 7, 'down'],"
        "  ['a', 6, 8, 'down'], ['a', 7, 7, 'never-heard-of-it']]) {"
        "  model.apply({ epoch, n, t: 0, f: [[row, 2, status]] });"
        "  seen.push(model.counts.join('')); }"
        " return seen; }",
    )
    assert values == ["10000", "10000", "10000", "00010"]


ROWS = """
  const asked = [];
  let answer = { items: [], next: null, count: 0 };
  let isUsed = false;
  const rows = new m.AlarmRows(() => {}, () => isUsed, async (path) => (asked.push(path), answer));
  const alarm = (id, more = {}) => ({ id, ...more });
  const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
"""


async def test_rows_of_alarms_keep_their_order_while_they_are_used(ask):
    shown = await ask(
        "alarms/rows.js",
        "(async () => {"
        + ROWS
        + """
        answer = { items: [alarm("a"), alarm("b")], next: null, count: 2 };
        rows.open({ filter: "sev=major" });
        await settled();
        isUsed = true;
        answer = { items: [alarm("c"), alarm("a", { count: 5 })], next: null, count: 2 };
        await rows.read({ take: false });
        const held = [rows.items.map((x) => x.id), rows.items[0].count, rows.waiting,
          [...rows.left]];
        rows.apply();
        return [held, rows.items.map((x) => x.id), rows.waiting, asked[0].includes("sev%3Dmajor")];
        })()""",
    )
    assert shown == [[["a", "b"], 5, 2, ["b"]], ["c", "a"], 0, True]


async def test_a_word_of_the_stream_changes_values_and_marks_who_left(ask):
    shown = await ask(
        "alarms/rows.js",
        "(async () => {"
        + ROWS
        + """
        answer = { items: [alarm("a"), alarm("b")], next: "2", count: 400 };
        rows.open({});
        await settled();
        isUsed = true;
        const word = { seq: 7, changed: [alarm("a", { count: 9 }), alarm("z")], gone: ["b", "y"] };
        rows.hear({ ...word, more: false });
        const told = [rows.items, [...rows.left], rows.isDue];
        rows.close();
        return told;
        })()""",
    )
    assert shown == [[{"id": "a", "count": 9}, {"id": "b"}], ["b"], True]


async def test_pages_are_joined_without_doubles_and_asked_for_again_after_a_reading(ask):
    shown = await ask(
        "alarms/rows.js",
        "(async () => {"
        + ROWS
        + """
        answer = { items: [alarm("a"), alarm("b")], next: "2", count: 3 };
        rows.open({});
        rows.more(); // while the first page is read
        answer = { items: [alarm("b"), alarm("c")], next: null };
        await settled();
        await settled();
        return [rows.items.map((x) => x.id), rows.next, asked.length, rows.count];
        })()""",
    )
    assert shown == [["a", "b", "c"], None, 2, 3]


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (
            ("ack", {"ids": ["0a"]}, {"note": " "}),
            [{"ids": ["0a"]}, "roost alarm ack 0a -m ' '"],
        ),
        (
            ("shelve", {"filter": "site:l-*", "count": 3}, {"for_s": "3600", "reason": "it's"}),
            [
                {"filter": "site:l-*", "expect_count": 3, "for_s": 3600, "reason": "it's"},
                "roost alarm shelve -q 'site:l-*' --expect 3 --for 3600s -m 'it'\\''s'",
            ],
        ),
        (
            ("assign", {"ids": ["0a", "0b"]}, {"assignee": "jd", "ticket": "-"}),
            [
                {"ids": ["0a", "0b"], "assignee": "jd", "ticket": None},
                "roost alarm assign 0a 0b --to jd --ticket ''",
            ],
        ),
    ],
)
async def test_an_act_is_one_body_and_one_command(ask, act, said):
    given = ", ".join(map(json.dumps, act))
    found = await ask("alarms/acts.js", f"[m.actBody({given}), m.actLine({given})]")
    assert found == said


async def test_what_came_of_an_act_is_a_sentence(ask):
    results = [{"outcome": "refused", "why": "latched"}, *[{"outcome": "unchanged"}] * 3]
    answer = {"matched": 8, "changed": 5, "results": results}
    said = await ask("alarms/acts.js", f"m.outcome('ack', {json.dumps(answer)})")
    assert said == "5 acknowledged, 3 unchanged, 1 refused: latched"


@pytest.mark.parametrize(
    ("measure", "word"),
    [
        ({"value": 5.9, "good": 6, "limit": 12}, "good"),
        ({"value": 6.1, "good": 6, "limit": 12}, "manageable"),
        ({"value": 12.1, "good": 6, "limit": 12}, "overloaded"),
        ({"value": None, "good": 6, "limit": 12}, "good"),
        ({"value": 1, "good": 6, "limit": 12, "band": "overloaded"}, "overloaded"),
    ],
)
async def test_a_load_has_its_band(ask, measure, word):
    assert await ask("load/page.js", f"m.bandOf({json.dumps(measure)}).word") == word


async def test_holes_as_long_as_a_sensors_interval_are_joined_and_longer_ones_part_the_line(ask):
    lines = (
        ([1, None, 2, None, 3], [1, "joined", 2, "joined", 3]),
        ([1, 2, None, 3, 4], [1, 2, None, 3, 4]),
        ([1, None, 2, None, None, None, 3, None, 4],
         [1, "joined", 2, None, None, None, 3, "joined", 4]),
    )  # fmt: skip
    for read, drawn in lines:
        joined = f"m.bridged({json.dumps(read)}).map((v) => (v === undefined ? 'joined' : v))"
        assert await ask("node/plot.js", joined) == drawn
