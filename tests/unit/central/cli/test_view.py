"""``roost view``: what is kept, replaced and removed by its name."""

import json

import pytest

HOSTILE = "=cmd|' /C calc'!A0\x1b[31m\x00<b>\u202e"
VIEWS = "/api/v1/views"
KEPT = [
    {"id": "01A", "name": "Serious", "page": "alarms", "query": "q=sev%3E%3Dmajor&sort=raised",
     "owner": "admin", "at": "2026-11-22T10:00:00.000Z", "link": "/v/01A"},
    {"id": "01B", "name": HOSTILE, "page": "fleet", "query": "", "owner": "admin",
     "at": "2026-11-22T10:00:00.000Z", "link": "/v/01B"},
]  # fmt: skip


@pytest.fixture(autouse=True)
def views(centre, monkeypatch):
    """The centre's answers for the noun."""
    others = centre.route

    def route(self, path, params):
        if self.command == "GET" and path == VIEWS:
            return 200, {"items": KEPT}
        if self.command in {"POST", "PUT"} and path.startswith(VIEWS):
            return 200, {**KEPT[0], **json.loads(self.seen[-1][3])}
        if self.command == "DELETE":
            return 200, {}
        return others(self, path, params)

    monkeypatch.setattr(centre, "route", route)


def test_views_are_listed_with_their_filter_and_link(run):
    code, out, _ = run("view", "list")
    assert code == 0
    assert out.splitlines()[1].split("\t")[:4] == ["Serious", "alarms", "sev>=major", "/v/01A"]
    assert "\x1b" not in out
    assert json.loads(run("views", "list", "-o", "json")[1])[0]["query"] == KEPT[0]["query"]


@pytest.mark.parametrize(
    ("name", "method", "path"), [("New", "POST", VIEWS), ("Serious", "PUT", f"{VIEWS}/01A")]
)
def test_a_view_is_kept_or_replaced_by_its_name(run, centre, name, method, path):
    code, out, _ = run("view", "save", name, "-q", "op=none sev>=major")
    assert (code, out) == (0, f"{name}: /v/01A\n")
    sent = centre.seen[-1]
    assert sent[:2] == (method, path)
    assert json.loads(sent[3]) == {
        "name": name, "page": "alarms", "query": "q=op%3Dnone+sev%3E%3Dmajor"
    }  # fmt: skip


def test_a_view_without_a_filter_is_of_the_whole_page(run, centre):
    assert run("view", "save", "All", "--page", "events", "-o", "json")[0] == 0
    assert json.loads(centre.seen[-1][3]) == {"name": "All", "page": "events", "query": ""}


def test_a_view_keeps_what_else_stands_in_the_address(run, centre, capsys):
    save = ("view", "save", "NICs", "--page", "inventory", "-q", "region:r01")
    assert run(*save, "--param", "class=nic", "--param", "where=mtu>1500")[0] == 0
    assert json.loads(centre.seen[-1][3]) == {
        "name": "NICs", "page": "inventory", "query": "q=region%3Ar01&class=nic&where=mtu%3E1500"
    }  # fmt: skip
    assert run(*save, "--param", "class")[0] == 2
    assert "NAME=VALUE" in capsys.readouterr().err


def test_a_view_is_removed_by_its_name(run, centre, capsys):
    assert run("view", "delete", "Serious")[0] == 0
    assert centre.seen[-1][:2] == ("DELETE", f"{VIEWS}/01A")
    assert run("view", "delete", "Nothing")[0] == 3
    assert "roost view list" in capsys.readouterr().err
