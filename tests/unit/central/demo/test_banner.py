import shlex
import sys
from pathlib import Path

from roost_central.demo import banner

STATUS = {
    "sites": {"total": 501},
    "nodes": {"total": 1503},
    "ingest": {"beats": 12_000, "items": 1_600, "refused": {"stale": 2, "late": 1}},
}
PIDS = {"n1": 11, "n2": 12, "n3": 13, "centre": 14}


def test_the_summary_tells_what_was_seen_and_what_was_refused():
    line = banner.summary(STATUS, 12.4)
    assert "501 sites and 1,503 nodes after 12 s" in line
    assert "1,600 items committed, 3 refused" in line


def test_the_block_has_what_a_newcomer_needs_next():
    folder = Path("/tmp/demo")
    text = banner.ready("http://127.0.0.1:8470", "rtk_x", folder, PIDS, "all here")
    assert "http://127.0.0.1:8470" in text
    assert "rtk_x" in text
    assert f"ROOST_TOKEN_FILE={folder}/central/admin.token" in text
    assert "kill -9 12" in text
    assert "kill -9 11" in text
    assert f"ROOST_NODES={folder}" in text
    assert "ha drill lab --cut lan-a" in text
    assert "kill -STOP 14" in text
    assert f"--state-dir {folder}/lab.n1" in text
    assert f"--socket {folder}/lab.n1/alarm.sock" in text


def test_a_program_is_named_so_that_a_shell_finds_it(monkeypatch, tmp_path):
    beside = Path(sys.executable).with_name("roost")
    monkeypatch.setenv("PATH", str(beside.parent))
    assert banner.program("roost") == "roost"
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.chdir(tmp_path)
    assert shlex.split(banner.program("roost")) == [str(beside)]
