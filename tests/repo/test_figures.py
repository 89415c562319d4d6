"""The bench's own arithmetic, and that pages quote only figures that it takes."""

import ast
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from figure import met, percentile
from measure_ingest import Trial, highest
from packets import publish, split
from quote import quoted as with_figures

ROOT = Path(__file__).parents[2]
BENCH = ROOT / "tests/bench"
AREAS = {
    "agent",
    "api",
    "authz",
    "cli",
    "config",
    "console",
    "enrol",
    "ingest",
    "probe",
    "profile",
    "reports",
    "sim",
    "simulator",
    "tls",
}
KEY = re.compile(rf"(?:{'|'.join(sorted(AREAS | {'storage'}))})\.[a-z0-9_]+")


def keys(files: Iterable[Path]) -> set[str]:
    """Every key that these programs write out as a text."""
    texts = {
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {text for text in texts if KEY.fullmatch(text)}


def measured() -> set[str]:
    """Every key that a part of the bench gives."""
    return keys(BENCH.glob("measure_*.py"))


def proven() -> set[str]:
    """Every key that a proof gives, of those that look like a figure's."""
    return keys((ROOT / "tests/prove").glob("prove_*.py"))


def quoted(page: str) -> set[str]:
    """Every key that a row of a table names."""
    rows = [line for line in (ROOT / page).read_text().splitlines() if line.startswith("| ")]
    return {key for row in rows for key in re.findall(r"`([^`]+)`", row) if KEY.fullmatch(key)}


@pytest.mark.parametrize("page", ["README.md", "docs/benchmarks.md"])
def test_a_page_names_only_what_is_measured_or_proven(page):
    assert quoted(page), "the table is gone"
    assert quoted(page) <= measured() | proven()


def test_every_figure_is_explained():
    assert measured() <= quoted("docs/benchmarks.md")


@pytest.mark.parametrize(
    ("goal", "value", "expected"),
    [
        ("<= 30", 30, "met"),
        ("<= 30", 30.1, "missed"),
        (">= 50,000", 49_999, "missed"),
        (">= 0.5", 0.5, "met"),
        ("", 1, ""),
    ],
)
def test_a_goal_is_met_or_missed(goal, value, expected):
    assert met({"goal": goal, "value": value}) == expected


def test_a_percentile_is_a_value_that_was_seen():
    assert percentile([], 99) == 0
    assert percentile([5], 99) == 5
    assert percentile(range(1, 101), 50) == 51
    assert percentile([3, 1, 2], 99) == 3


def machine(limit, *, sender=1_000_000):
    """A receiver that holds rates up to a limit, and a sender that has one too."""

    def run(rate):
        sent = min(rate, sender)
        return Trial(rate, sent, min(sent, limit), 1.0)

    return run


@pytest.mark.parametrize(
    ("limit", "sender", "low", "high"),
    [
        (60_000, 1_000_000, 53_000, 60_000),  # above the first rate
        (50_000, 1_000_000, 50_000, 50_000),  # the first rate, and no more
        (33_000, 1_000_000, 29_000, 33_000),  # below it
        (1_000_000, 70_000, 70_000, 70_000),  # what the sender can do
        (0, 1_000_000, 0, 0),
    ],
)
def test_the_highest_rate_that_is_held_is_found(limit, sender, low, high):
    best = highest(machine(limit, sender=sender), 50_000, lambda _text: None)
    assert low <= best.per_s <= high


def test_packets_are_split_where_they_end():
    whole = publish("a/b", b"x" * 200) + publish("c", b"", number=7)
    assert [first for first, _, _ in split(whole)] == [0x30, 0x32]
    for cut in range(len(whole)):
        ends = [end for _, _, end in split(whole[:cut])]
        assert ends == [end for _, _, end in split(whole) if end <= cut]


def test_figures_are_written_into_their_rows_alone():
    page = "| memory (`agent.rss_mib`) | old | 30 |\n| help (`cli.help_ms`) | 59 ms | 150 |\n"
    figures = {"agent.rss_mib": {"value": 29.24, "unit": "MiB"}}
    assert with_figures(page, figures) == (
        "| memory (`agent.rss_mib`) | 29.2 MiB | 30 |\n| help (`cli.help_ms`) | 59 ms | 150 |\n",
        ["cli.help_ms"],
    )
