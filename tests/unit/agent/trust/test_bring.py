"""A stick on a node whose clock is kept by a time service, by root's word, or by nobody."""

import json
import os
import re

import pytest
from msgspec.structs import replace
from releases import custom, manifest
from tuf_stage import DAY_MS, NOW_MS, Stage

from roost_agent.errors import AgentError
from roost_agent.trust import bring, command, kept


class Clock:
    def __init__(self, ms=NOW_MS):
        self.ms = ms

    def wall_ms(self):
        return self.ms


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path / "stick")


@pytest.fixture
def takes(stage, tmp_path, capsys):
    """Take a stick; return status, what was printed and what was complained of."""
    what = custom()
    stage.assign(what, stage.sign_release(what))
    stage.publish()
    for name, repo in (("image", stage.image), ("director", stage.director)):
        (tmp_path / f"{name}.json").write_bytes(repo.anchor)
    roots = [f"--{each}-root={tmp_path / each}.json" for each in ("image", "director")]
    trust = f"--trust-dir={tmp_path / 'trust'}"
    command.run(["anchor", "--node=lab.n1", *roots, trust], Clock())
    (tmp_path / "state").mkdir()

    def took(*words, is_kept=True, clock=None):
        where = [trust, f"--state-dir={tmp_path / 'state'}"]
        argv = [str(tmp_path / "stick"), *words, *where]
        status = bring.run(argv, clock or Clock(), lambda: is_kept)
        return status, *capsys.readouterr()

    return took


def test_a_clock_that_nobody_keeps_takes_no_stick_and_what_to_do_is_told(takes, tmp_path):
    status, out, err = takes(is_kept=False)
    assert (status, out) == (1, "")
    assert err.startswith("clock: no time service keeps this node's clock")
    assert "roost-agent import DIR --clock-ok" in err
    assert not (tmp_path / "state/updates/mirror").exists()
    assert kept.load(tmp_path / "trust").clock_ok_ms == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="kernel lacks root here: it is root's word")
def test_roots_word_counts_is_kept_and_goes_with_the_next_stick_by_a_clock_that_is(takes, tmp_path):
    status, out, err = takes("--clock-ok", is_kept=False)
    assert (status, json.loads(out)["manifests"]) == (0, ["app/web/2.0.json"])
    assert re.search(r"root says that this clock is right, \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", err)
    assert kept.load(tmp_path / "trust").clock_ok_ms == NOW_MS
    assert takes(is_kept=True)[0] == 0
    assert kept.load(tmp_path / "trust").clock_ok_ms == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="kernel lacks root here: it is root's word")
def test_roots_word_is_of_the_clock_and_not_of_what_has_ended(takes):
    status, _, err = takes("--clock-ok", is_kept=False, clock=Clock(NOW_MS + 8 * DAY_MS))
    assert status == 1
    assert "expired: " in err


def test_no_clock_is_right_that_is_before_what_was_signed_and_installed(takes, tmp_path):
    trust = tmp_path / "trust"
    kept.save(trust, replace(kept.load(trust), clock_floor_ms=NOW_MS))
    for words in ([], ["--clock-ok"]):
        status, _, err = takes(*words, clock=Clock(NOW_MS - 60_000))
        assert status == 1
        assert err.startswith("clock: this node's clock says 2026-")
        assert "no clock is right that is before that\nwhat to do: set the clock" in err
    assert kept.load(trust).clock_ok_ms == 0


def test_nobody_elses_word_counts(takes, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1_000)
    with pytest.raises(AgentError, match="--clock-ok: root's word"):
        takes("--clock-ok", is_kept=False)
    assert takes(is_kept=True)[0] == 0


ANEW = "roost release export SITE --to DIR"


def test_an_old_stick_is_told_with_what_ended_when_how_long_ago_and_what_to_do(takes):
    status, _, err = takes(clock=Clock(NOW_MS + 8 * DAY_MS))
    why, what = err.splitlines()
    assert status == 1
    assert why.startswith("expired: what the image repository says of what is newest (timestamp)")
    assert re.search(r"ended on \d{4}-\d\d-\d\d \d\d:\d\d UTC, 1 day ago by this node's clock", why)
    assert what.startswith(f"what to do: write a new stick at the centre ({ANEW}; one for a site")


def test_a_stick_that_is_older_than_the_one_before_is_refused_and_a_new_one_asked_for(
    takes, stage, tmp_path
):
    folder = tmp_path / "stick/director/metadata"
    old = (folder / "timestamp.json").read_bytes()
    stage.publish()
    assert takes()[0] == 0
    (folder / "timestamp.json").write_bytes(old)
    status, _, err = takes()
    assert (status, err.partition(":")[0]) == (1, "rollback")
    assert "this stick is older than what the node has seen: write a new one" in err


def test_the_stick_of_another_site_changes_nothing(takes, stage, tmp_path):
    assert takes()[0] == 0
    known = tmp_path / "state/updates/known/director"
    before = {path.name: path.read_bytes() for path in known.glob("*.json")}
    mirror = sorted((tmp_path / "state/updates/mirror").rglob("*.json"))
    stage.document.assignments.clear()
    stage.document = type(stage.document)(v=1, site="edge", assignments=[])
    stage.publish()
    status, _, err = takes()
    assert status == 1
    assert "node: the director's document is for site edge, and this node is lab.n1" in err
    assert "take the stick of this node's site" in err
    assert {path.name: path.read_bytes() for path in known.glob("*.json")} == before
    assert sorted((tmp_path / "state/updates/mirror").rglob("*.json")) == mirror


def test_the_stick_of_another_site_leaves_nothing_of_it_on_a_node_that_knew_none(
    takes, stage, tmp_path
):
    stage.document = type(stage.document)(v=1, site="edge", assignments=[])
    stage.publish()
    assert takes()[0] == 1
    known = tmp_path / "state/updates/known/director"
    assert not [*known.glob("timestamp.json"), *known.glob("targets.json")]


def test_a_stick_that_names_nothing_for_this_node_says_so(takes, stage):
    stage.document.assignments.clear()
    stage.publish()
    status, out, err = takes()
    assert (status, json.loads(out)["manifests"]) == (0, [])
    assert "names nothing for lab.n1 to install: start a rollout for its site" in err


def test_a_stick_without_a_part_of_a_release_is_refused_with_what_to_do(takes, stage, tmp_path):
    file = {"path": "a", "mode": 0o644, "size": 1, "sha256": "a" * 64, "blob": "b" * 64}
    what = custom(version="3.0", counter=3, size_unpacked=1)
    raw = manifest(
        version="3.0", release_counter=3, size_unpacked=1, files=[file | {"blob_size": 9}]
    )
    stage.document.assignments.clear()
    stage.assign(what, stage.sign_release(what, raw))
    stage.publish()
    status, out, err = takes()
    assert (status, out) == (1, "")
    assert "mixed: the stick lacks a part of a release: blob bbbbbbbbbbbb: " in err
    assert f"write the stick anew at the centre ({ANEW})" in err


def test_a_stick_without_its_metadata_is_refused_with_what_to_do(takes, tmp_path):
    (tmp_path / "stick/image/metadata/timestamp.json").unlink()
    status, _, err = takes()
    assert status == 1
    assert "absent: the image repository has no metadata/timestamp.json (from " in err
    assert f"write the stick anew at the centre ({ANEW})" in err
