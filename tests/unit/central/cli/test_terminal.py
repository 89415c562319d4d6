"""What a person sees on a terminal of a given size."""

import re

import pytest

from roost_central.cli import alarm_text, options, output, table

COLUMNS = [output.text(name.upper(), name) for name in ("node", "agent", "boot")]
ROWS = [
    {"node": f"a-site-with-a-long-name.n{n}", "agent": "0.1.0", "boot": "f" * 32} for n in (1, 2)
]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "6")


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_a_table_fits_the_terminal_and_keeps_the_names():
    lines = plain(table.draw(ROWS, COLUMNS, "table")).splitlines()
    assert [line.split()[0] for line in lines[1:]] == [row["node"] for row in ROWS]
    assert max(map(len, lines)) <= 60
    assert "…" in lines[1]


def test_what_other_commands_take_is_kept_and_what_says_nothing_goes():
    columns = [
        output.text("SEV", "sev"),
        output.text("TEXT", "text"),
        output.text("OWNER", "owner"),
        output.text("KEY", "key", whole=True),
    ]
    columns.insert(2, output.number("HELD", "held"))
    rows = [
        {"sev": "major", "text": "x" * 80, "owner": None, "held": 0, "key": f"{n:016x}"}
        for n in range(3)
    ]
    lines = plain(table.draw(rows, columns, "table")).splitlines()
    assert lines[0].split() == ["SEV", "TEXT", "KEY"]
    assert [line.split()[::2] for line in lines[1:]] == [["major", row["key"]] for row in rows]
    assert all(len(line) <= 60 and "…" in line for line in lines[1:])


def test_a_dumb_terminal_is_as_wide_as_it_says(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("LINES")
    row = {"node": "n1", "agent": "a" * 60, "boot": "b" * 60}
    lines = table.draw([row, row], COLUMNS, "table").splitlines()
    assert lines[1].split() == ["n1", "a" * 60, "b" * 60]


def alarm(**said):
    text = "Nothing heard from any node for 25 s, and from its neighbours neither, nor their boards"
    return {
        "severity": "critical", "state": "active", "age_s": 101.0, "node": None,
        "site": "edge-0030", "type": "280.001", "text": text, "count": 1, "op_state": "none",
        "incident": "INC-01M8NHRSNY1Y3PCYC7H7GQ3ZTP", "key_id": "e895c8ccc2c8d4f0", "ack": None,
        "assignee": None, "entity": "", "name": "site.offline", "changed": None, "shelf": None,
    } | said  # fmt: skip


def test_an_alarm_on_80_columns_says_where_and_what_in_full(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    rows = [alarm(), alarm(site="edge-0031", severity="major")]
    lines = plain(
        table.draw(
            rows, [column for column in alarm_text.columns(None) if not column.wide], "table"
        )
    ).splitlines()
    assert [line.split()[-4:] for line in lines[1::3]] == [
        [row["site"], "280.001", "INC-…GQ3ZTP", row["key_id"]] for row in rows
    ]
    assert " ".join(part.strip() for part in lines[2:4]) == rows[0]["text"]
    assert len(lines) == 1 + 3 * len(rows)
    assert max(map(len, lines)) <= 80


def test_a_sentence_is_wrapped_in_its_column_where_that_is_wide_enough():
    columns = [output.text("NODE", "node"), output.text("DECISION", "text", prose=True)]
    rows = [{"node": f"n{n}", "text": "took web (epoch 32): nobody held it, " * 3} for n in (1, 2)]
    lines = plain(table.draw(rows, columns, "table")).splitlines()
    assert all(len(line) <= 60 and "…" not in line for line in lines)
    assert " ".join(" ".join(lines[1:]).split()).count("nobody held it,") == 6
    assert [line[:2] for line in lines if line[:2].strip()] == ["NO", "n1", "n2"]


def test_names_are_cut_last_where_there_is_no_room_for_them():
    columns = [output.text(name, name, whole=True) for name in ("a", "b")]
    lines = plain(table.draw([{"a": "x" * 50, "b": "y" * 50}] * 2, columns, "table"))
    assert all(len(line) <= 60 for line in lines.splitlines())


def test_a_wide_table_is_cut_nowhere():
    lines = plain(table.draw(ROWS, COLUMNS, "wide")).splitlines()
    assert [line.split() for line in lines[1:]] == [list(row.values()) for row in ROWS]


def test_one_row_that_does_not_fit_is_a_line_for_each_column():
    lines = table.draw(ROWS[:1], COLUMNS, "wide").splitlines()
    assert [line.split() for line in lines] == [
        ["NODE", "a-site-with-a-long-name.n1"],
        ["AGENT", "0.1.0"],
        ["BOOT", "f" * 32],
    ]


def test_a_table_without_rows_has_its_headings_and_says_so():
    headings, *below = plain(table.draw([], COLUMNS, "table")).splitlines()
    assert headings.split() == ["NODE", "AGENT", "BOOT"]
    assert below == ["(none)"]


def test_what_is_watched_stays_on_one_screen_and_leaves_the_scrollback_alone():
    lines = [f"line {n}\n" for n in range(9)]
    assert options._screenful("".join(lines[:4])) == options.CLEAR + "".join(lines[:4])
    shown = options._screenful("".join(lines))
    assert shown.endswith("line 3\n… 5 lines more: -q shows fewer, a pipe shows all\n")
    assert "\x1b[3J" not in shown
