"""Pages that point somewhere, decision records in their form, a change log in its form."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKIPPED_FOLDERS = {"node_modules", "build", "dist"}
PAGES = sorted(
    page
    for page in ROOT.rglob("*.md")
    if not any(
        part.startswith(".") or part in SKIPPED_FOLDERS for part in page.relative_to(ROOT).parts
    )
)
RECORDS = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)(?: \"[^\"]*\")?\)")
CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`", re.MULTILINE | re.DOTALL)
SECTIONS = ["Context", "Options", "Decision", "Consequences"]
CHANGE_KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def anchors(page: Path) -> set[str]:
    """The fragment of every heading, as code hosts make them."""
    headings = re.findall(r"^#+ +(.+?)\s*$", CODE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def broken_links(page: Path) -> list[str]:
    found = []
    for match in LINK.finditer(CODE.sub("", page.read_text())):
        target, _, fragment = match["target"].partition("#")
        if re.match(r"[a-z]+:", target):
            continue  # another site: a test that asks the network fails for the network's reasons
        file = (page.parent / target) if target else page
        if not file.exists() or (
            fragment and file.suffix == ".md" and fragment not in anchors(file)
        ):
            found.append(match["target"])
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page):
    assert broken_links(page) == []


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# One title\n[a](gone.md) [b](#one-title) [c](#two) `[d](code.md)` [e](page.md)\n"
    )
    assert broken_links(page) == ["gone.md", "#two"]


def test_decision_records_are_numbered_without_a_gap():
    assert [record.name[:4] for record in RECORDS] == [
        f"{number:04}" for number in range(1, len(RECORDS) + 1)
    ]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_decision_record_has_its_form(record):
    text = record.read_text()
    assert re.match(r"# \d+\. \S", text), "the first line is `# N. Title`"
    assert int(text[2 : text.index(".")]) == int(record.name[:4])
    assert re.search(
        r"^- Status: (proposed|accepted|rejected|superseded by \[.+\]\(.+\))$", text, re.MULTILINE
    )
    assert re.search(r"^- Date: \d{4}-\d\d-\d\d$", text, re.MULTILINE)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    for section in text.split("\n## ")[1:]:
        assert len(section.split("\n", 1)[1].strip()) > 40, f"empty: {section[:30]}"


def test_the_change_log_keeps_its_form():
    text = (ROOT / "CHANGELOG.md").read_text()
    assert text.startswith("# Changelog\n")
    releases = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert releases[0] == "[Unreleased]"
    for release in releases[1:]:
        assert re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", release)
    kinds = re.findall(r"^### (.+)$", text, re.MULTILINE)
    assert kinds
    assert set(kinds) <= CHANGE_KINDS
    body = text[text.index("\n## ") :]
    loose = [line for line in body.splitlines() if line and not re.match(r"#{2,3} |- |  \S", line)]
    assert loose == []
