"""docs/settings.md is what the schema says."""

from pathlib import Path

from roost_central.profiles.export_settings import PAGE, main, markdown
from roost_protocol.profile.schema import LATER, SECTIONS
from roost_protocol.profile.sysctl import SYSCTL

ROOT = Path(__file__).parents[4]


def test_the_written_page_is_of_this_schema():
    written = (ROOT / PAGE).read_text()
    assert written == markdown(), "run: python -m roost_central.profiles.export_settings"


def test_every_section_and_key_is_on_the_page():
    page = markdown()
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == [
        *SECTIONS,
        "Later",
    ]
    assert all(f'`kernel.sysctl."{key}"`' in page for key in SYSCTL)
    assert all(f"`{name}`" in page for name in LATER)


def test_it_is_written_below_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    main()
    assert (tmp_path / PAGE).read_text() == markdown()
