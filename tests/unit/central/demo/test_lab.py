"""Local HA of the demo's site: files that the agent takes; a place for services, or why not."""

import os
from pathlib import Path

import pytest

from roost_agent.guard.__main__ import options
from roost_agent.ha.config_file import load
from roost_agent.ha.keys import load_keys
from roost_central.demo import aftermath, cast, lab


@pytest.fixture
async def site(tmp_path, monkeypatch):
    """A lab whose cgroup is a plain folder."""
    root = tmp_path / "cgroup"
    root.mkdir()
    monkeypatch.setattr(lab, "cgroup_root", lambda _name: (root, ""))
    return await lab.prepared(tmp_path)


@pytest.fixture
async def bare(tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "cgroup_root", lambda _name: (None, "it is read-only"))
    return await lab.prepared(tmp_path)


def test_every_node_takes_the_file_and_its_keys(site):
    for node in cast.NODES:
        config = load(site.file(node))
        assert [(group.name, group.model) for group in config.groups] == [
            ("web", "2N"),
            ("logs", "N"),
        ]
        assert config.group("web").hosts == ("n1", "n2")
        assert config.voters == cast.NODES
        names = {each.name: each.index for each in config.nodes}
        assert len(load_keys(Path(config.key_file), node, names)) == 2
        assert Path(config.key_file).stat().st_mode & 0o077 == 0
    assert load(site.file("n1")).cfgver == load(site.file("n3")).cfgver


def test_a_guard_takes_its_options_and_its_bounds_are_the_site_s(site):
    config = load(site.file("n1"))
    assert (config.timing.lease_ms, config.timing.tick_ms) == (lab.LEASE_MS, lab.TICK_MS)
    for node, guard in zip(cast.NODES, site.guards(), strict=True):
        given = options(list(guard.argv[3:]))
        assert given.cgroup_root == str(site.root / node / "exclusive")
        assert Path(given.cgroup_root).is_dir()
        assert given.socket == load(site.file(node)).guard_socket
        assert given.agent_uid == os.getuid()


def test_without_a_cgroup_the_site_has_its_lease_and_runs_no_service(bare):
    config = load(bare.file("n2"))
    assert config.groups == ()
    assert config.lease_names() == ("site",)
    assert (bare.guards(), bare.why) == ([], "it is read-only")


@pytest.fixture
def proc(tmp_path):
    """What /proc/self says, with a mount of v2 at a plain folder."""
    mount = tmp_path / "mount"
    (mount / "own.scope").mkdir(parents=True)
    (tmp_path / "mountinfo").write_text(f"30 1 0:27 / {mount} rw - cgroup2 cgroup2 rw\n")
    (tmp_path / "cgroup").write_text("4:memory:/x\n0::/own.scope\n")
    return tmp_path


def test_a_folder_is_made_below_this_process_s_own_cgroup(proc, monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda _path: True)
    assert lab.cgroup_root("demo", proc) == (proc / "mount" / "own.scope" / "demo", "")


def test_what_lacks_is_said(proc):
    root, why = lab.cgroup_root("demo", proc)  # a plain folder has no cgroup.kill
    assert root is None
    assert "cgroup.kill" in why
    assert list((proc / "mount" / "own.scope").iterdir()) == []
    (proc / "cgroup").write_text("0::/gone\n")
    root, why = lab.cgroup_root("demo", proc)
    assert root is None
    assert "systemd-run --user --scope" in why
    (proc / "mountinfo").write_text("30 1 0:27 / /x rw - tmpfs tmpfs rw\n")
    assert lab.cgroup_root("demo", proc) == (None, "this system mounts no cgroup v2")


def test_cleaning_up_ends_a_noted_broker_and_no_other_process(tmp_path):
    """The pid was given to another process meanwhile: that one is left alone."""
    noted = tmp_path / "lab.n1" / "ha" / "broker"
    noted.mkdir(parents=True)
    (noted / "pid").write_text(f"{os.getpid()}\n")
    (tmp_path / "lab.n2" / "ha" / "broker").mkdir(parents=True)
    aftermath.clean(tmp_path, tmp_path / "no-cgroup")
