"""A stick on a node whose clock is kept by a time service, by root's word, or by nobody."""

import json
import os
import re

import pytest
from releases import custom
from tuf_stage import DAY_MS, NOW_MS, Stage

from roost_agent.errors import AgentError
from roost_agent.trust import bring, command, kept


class Clock:
    def __init__(self, ms=NOW_MS):
        self.ms = ms

    def wall_ms(self):
        return self.ms


@pytest.fixture
def takes(tmp_path, capsys):
    """Take a stick; return status, what was printed and what was complained of."""
    stage = Stage(tmp_path / "stick")
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


def test_nobody_elses_word_counts(takes, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1_000)
    with pytest.raises(AgentError, match="--clock-ok: root's word"):
        takes("--clock-ok", is_kept=False)
    assert takes(is_kept=True)[0] == 0
