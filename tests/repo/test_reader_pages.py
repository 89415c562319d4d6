"""What a reader is led to is there, and what is there is led to: pages, folders, routes."""

import re
import tomllib
from pathlib import Path

import pytest

from roost_central.api.routes import API, enrolling

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "SECURITY.md"])
SHELL = ROOT / "central/roost_central/dashboard/static/app/shell/pages.js"
TABS = ROOT / "central/roost_central/dashboard/static/app/profiles/tabs.js"
OF_OTHERS = {"POST /api/v2/alerts"}  # Alertmanager's own
ROUTES = [(route.method, route.path) for route in (*API, *enrolling.ROUTES)]
PLACE = r"\{[^{}]*\}|\b[A-Z]{2,}\b"  # {site}, ID
ANY = "[^/:]+"


def column(text, heading):
    """The first cell of each row of the table below a header that begins so."""
    rows = text.split(f"| {heading} |", 1)[1].splitlines()[2:]
    cells = []
    for row in rows:
        if not row.startswith("|"):
            break
        cells.append(row.split("|")[1].strip())
    return cells


def test_the_readme_has_each_program():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    told = {re.match(r"`(\S+?)[ `]", cell)[1] for cell in column(README, "program")}
    assert told == set(scripts)


def test_the_readme_leads_to_each_page():
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {
        "alarm-types.md"
    }  # by alarms.md
    assert pages - set(re.findall(r"\(docs/([a-z-]+\.md)", README)) == set()


@pytest.mark.parametrize("package", ["agent/roost_agent", "central/roost_central"])
def test_the_page_on_architecture_has_each_room(package):
    told = set()
    for cell in column((ROOT / "docs/architecture.md").read_text(), "folder"):
        names = re.findall(r"`([^`]+)`", cell)
        told |= {f"{Path(names[0]).parent}/{Path(name).name}" for name in names}
    there = {str(each.parent.relative_to(ROOT)) for each in ROOT.glob(f"{package}/*/__init__.py")}
    assert there - told == set()
    assert {each for each in told if not (ROOT / each).is_dir()} == set()


def test_the_page_on_the_console_has_each_page():
    titles = re.findall(r'"/[a-z]*", "(\w+)"', SHELL.read_text() + TABS.read_text())
    page = (ROOT / "docs/console.md").read_text()
    told = {title for cell in column(page, "page") for title in cell.split(", ")}
    assert told == set(titles)


def unknown_routes(text):
    """Return each path of the API that no route of the centre answers, with its method."""
    found = []
    for match in re.finditer(r"(?:(GET|POST|PUT|PATCH|DELETE) )?(/api/v\d/[\w{}/:.-]*[\w}])", text):
        method, path = match.groups()
        known = [route for told, route in ROUTES if method in {None, told}]
        if not any(_fits(path, route) for route in known) and match[0] not in OF_OTHERS:
            found.append(match[0])
    return found


def _fits(path, route):
    """Whether a path is of a route: one of them has the names where the other has places."""
    return bool(
        re.fullmatch(re.sub(PLACE, ANY, route), re.sub(PLACE, "x", path))
        or re.fullmatch(re.sub(PLACE, ANY, path), re.sub(PLACE, "x", route))
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_path_of_the_api_is_one_that_the_centre_answers(page):
    assert unknown_routes(page.read_text()) == []


def test_a_path_that_nobody_answers_is_found():
    text = "`GET /api/v1/sites/{site}`, `POST /api/v1/sites/edge-1`, `/api/v1/sits`"
    assert unknown_routes(text) == ["POST /api/v1/sites/edge-1", "/api/v1/sits"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_file_of_the_project_that_a_page_names_is_there(page):
    tops = {each.name for each in ROOT.iterdir() if each.is_dir() and each.name != "build"}
    named = re.findall(r"`([\w.-]+/[\w./-]+)`", page.read_text())
    mine = {name for name in named if name.split("/")[0] in tops}
    assert {name for name in mine if not (ROOT / name).exists()} == set()
