import shlex
import sys
from pathlib import Path

from roost_central.demo import banner
from roost_central.demo.fleet import Fleet, Ports
from roost_central.demo.releases import Releases

STATUS = {
    "sites": {"total": 501},
    "nodes": {"total": 1503},
    "ingest": {"beats": 12_000, "items": 1_600, "refused": {"stale": 2, "late": 1}},
}
PIDS = {"n1": 11, "n2": 12, "n3": 13, "centre": 14, "lan-a": 15}


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


def test_the_block_says_how_one_more_box_is_let_in_and_by_which_files(tmp_path):
    ports = Ports(8471, {"wan1": 8883, "wan2": 8884})
    its = Fleet(tmp_path, ports, Releases(tmp_path / "releases"))
    text = banner.ready("http://127.0.0.1:8470", "rtk_x", tmp_path, PIDS, "all here", fleet=its)
    assert f"join https://127.0.0.1:8471 --config {tmp_path}/n4.toml --token -" in text
    assert f"profile apply {tmp_path}/lab-profile.toml" in text
    assert f"{tmp_path}/lab.n1/machine/proc/sys/vm/swappiness" in text
    assert f"rollout create {tmp_path}/sensor-2.2.0.toml --start" in text
    assert f"cat {tmp_path}/lab.n1/machine/run/sensor" in text
    assert (tmp_path / "sensor-2.1.0.toml").exists()
    assert (tmp_path / "n4.toml").exists()
    assert (tmp_path / "lab-profile.toml").exists()


def test_a_program_is_named_so_that_a_shell_finds_it(monkeypatch, tmp_path):
    beside = Path(sys.executable).with_name("roost")
    monkeypatch.setenv("PATH", str(beside.parent))
    assert banner.program("roost") == "roost"
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.chdir(tmp_path)
    assert shlex.split(banner.program("roost")) == [str(beside)]
