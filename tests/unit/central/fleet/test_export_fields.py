"""What is written from the field table: in step with it, and with examples that hold."""

import re

import pytest

from roost_central.fleet.export_fields import EXAMPLES, JAVASCRIPT, PAGE, javascript, main, markdown
from roost_central.fleet.query import parse

NOW_MS = 1_800_000_000_000
FLEET = [
    {
        "site": "edge-02",
        "name": "Store 2",
        "status": "degraded",
        "label": {"region": "r02", "tier": "gold"},
        "path": {"p1": "down", "p2": "up"},
        "age": NOW_MS - 60_000,
        "release": ["4.2.1"],
        "lat": 50.9,
    },
    {
        "site": "edge-07",
        "status": "unknown",
        "label": {"region": "r11", "carrier": "carB", "lab": "yes"},
        "path": {"p1": "up"},
        "age": NOW_MS - 3_600_000,
        "release": ["4.3.0"],
    },
    {"site": "edge-02", "sev": "critical", "at": NOW_MS - 60_000},
    {"site": "edge-09", "sev": "minor", "at": NOW_MS - 60_000, "lat": 50.9},
    {
        "site": "edge-11",
        "label": {"carrier": "carB"},
        "age": NOW_MS - 7_200_000,
        "lat": 50.9,
        "inv": {
            "nic": [
                {"id": "a", "driver": "ice", "firmware": "4.10"},
                {"id": "b", "driver": "ice", "firmware": None, "firmware.reason": "denied"},
            ],
            "disk": [
                {"id": "c", "type": "nvme", "serial": "S4EVNX0R"},
                {"id": "d", "type": "nvme"},
            ],
            "hugepages": [{"id": "node0/2048kB", "count": 0}],
            "gpu": [{"id": "e"}],
        },
        "inv.reason": {"dimm": "denied"},
    },
]


@pytest.mark.parametrize(("path", "text"), [(JAVASCRIPT, javascript), (PAGE, markdown)])
def test_the_written_files_are_in_step_with_the_table(request, path, text):
    written = (request.config.rootpath / path).read_text(encoding="utf-8")
    assert written == text(), "run: python -m roost_central.fleet.export_fields"


def test_both_files_are_written_below_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (JAVASCRIPT, PAGE):
        path.parent.mkdir(parents=True)
    main()
    assert JAVASCRIPT.read_text(encoding="utf-8") == javascript()
    assert PAGE.read_text(encoding="utf-8") == markdown()


@pytest.mark.parametrize("query", [query for query, _ in EXAMPLES])
def test_a_documented_example_finds_some_objects_and_not_others(row_of, query):
    parsed = parse(query)
    parsed.require_available()
    assert {parsed.match(row_of(row), NOW_MS) for row in FLEET} == {True, False}


def test_every_query_on_the_page_parses(request):
    page = (request.config.rootpath / PAGE).read_text(encoding="utf-8")
    examples = page.partition("## Examples")[2].partition("##")[0]
    shown = re.findall(r"^\| `([^`]+)` \|", examples, re.MULTILINE)
    assert len(shown) == len(EXAMPLES)
    for query in shown:
        parse(query)
