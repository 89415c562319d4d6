"""Labels of many, sites that are left alone, and a node that is to move."""

import json

import pytest

DONE = {"matched": 2, "changed": 1}


@pytest.fixture(autouse=True)
def answers(centre):
    centre.more |= {
        f"/api/v1/{verb}": DONE for verb in ("sites:label", "nodes:label", "sites:manage")
    }
    centre.more["/api/v1/nodes"] = {
        "items": [{"node": "edge-0.n1", "labels": {"rack": "7"}}], "next": None, "count": 812,
    }  # fmt: skip


@pytest.fixture
def refused(run, capsys):
    """Run a command that is refused; return the sentence."""

    def refused(*words):
        assert run(*words)[0] != 0
        return capsys.readouterr().err

    return refused


def sent(centre):
    return [(path, params, json.loads(body)) for verb, path, params, body, _ in centre.seen
            if verb == "POST"]  # fmt: skip


def test_labels_are_set_on_all_that_match_with_the_number_that_was_seen(run, centre):
    code, out, _ = run("label", "set", "wave=2", "-q", "region=r1", "--expect", "2")
    assert (code, out) == (0, "2 sites, 1 changed\n")
    assert sent(centre) == [
        (
            "/api/v1/sites:label",
            {},
            {"set": {"wave": "2"}, "filter": "region=r1", "expect_count": 2},
        )
    ]


def test_a_person_is_shown_the_number_and_may_say_no(run, centre):
    asked = ("label", "remove", "wave", "--nodes", "-q", "region=r1")
    assert "Label 812 nodes?" in run(*asked, input="n\n")[2]
    assert sent(centre) == []
    assert run(*asked, input="y\n")[0] == 0
    (path, _, body) = sent(centre)[0]
    assert (path, body["expect_count"], body["remove"]) == ("/api/v1/nodes:label", 812, ["wave"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set", "a=b", "-q", "site=x", "-y"), "--expect"),
        (("set", "a=b"), "name sites, or say which with -q"),
        (("set", "a=b", "--site", "x", "-q", "y=1"), "one of both"),
        (("set", "a=b", "--site", "x", "--node", "x.n1"), "not both"),
        (("set", "a", "--site", "x"), "KEY=VALUE"),
        (("set", "a=b", "c=", "--site", "x"), "roost label remove"),
    ],
)
def test_what_is_unclear_is_refused_before_anything_is_asked(refused, centre, words, said):
    assert said in refused("label", *words)
    assert sent(centre) == []


def test_a_dry_run_says_what_would_be(run, centre):
    out = run("label", "set", "a=b", "--node", "edge-0.n1", "--dry-run")[1]
    assert out == "2 nodes, 1 would be changed\n"
    assert sent(centre)[0][1] == {"dry_run": "true"}


def test_labels_are_listed_with_who_has_them(run):
    rows = json.loads(run("label", "list", "-o", "json")[1])
    assert {"label": "rack", "value": "7", "sites": 0, "nodes": 1} in rows
    assert [row["sites"] for row in rows if row["label"] == "region"] == [5]


def test_a_site_is_left_alone_and_managed_again_with_a_reason(run, centre):
    assert run("site", "unmanage", "edge-0")[0] != 0, "a reason is needed"
    assert run("site", "unmanage", "edge-0", "-m", "rebuilt")[0] == 0
    assert run("site", "manage", "-q", "managed=false", "--expect", "3", "-m", "done")[0] == 0
    assert [body for _, _, body in sent(centre)] == [
        {"managed": False, "reason": "rebuilt", "names": ["edge-0"]},
        {"managed": True, "reason": "done", "filter": "managed=false", "expect_count": 3},
    ]


def test_a_list_of_sites_says_what_is_not_in_sync(run):
    lines = run("site", "list", "-o", "csv")[1].splitlines()
    assert "sync" in lines[0]
    assert "online; inventory: in-sync, time: unknown" in run("site", "show", "edge-0")[1]


def test_a_site_is_added_once_and_edited_when_it_is_there(run, refused, centre):
    assert "roost site edit edge-0" in refused("site", "add", "edge-0")
    assert run("site", "edit", "omega", "-l", "a=b")[0] == 3
    assert all(verb != "PUT" for verb, *_ in centre.seen)


def test_a_node_that_is_to_move_is_refused_with_the_way_there(refused, centre):
    err = refused("node", "move", "edge-0.n1", "edge-0.n9")
    for step in ("roost node decommission edge-0.n1", "--site edge-0 --node n9", "--new-key"):
        assert step in err
    assert sent(centre) == []
    assert "SITE.NODE" in refused("node", "move", "edge-0.n1", "n9")


def test_a_site_is_there_before_a_person_is_asked_whether_it_goes(run, centre):
    asked = run("site", "remove", "nosuch", input="y\n")
    assert (asked[0], "Forget" in asked[2]) == (3, False)
    _, _, err = run("site", "remove", "edge-0", input="n\n")
    assert "Forget site edge-0 with all that is known of it (nodes: 3)?" in err
    assert "DELETE" not in {verb for verb, *_ in centre.seen}
    run("site", "remove", "edge-0", input="y\n")
    assert "DELETE" in {verb for verb, *_ in centre.seen}
