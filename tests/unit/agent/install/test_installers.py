"""Kinds that touch the machine beside their own folder: units by links, packages by dpkg."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from install_stage import InstallStage

from roost_agent.install import contract, measure
from roost_agent.install.__main__ import command
from roost_agent.install.contract import Exit, call
from roost_agent.install.kinds import KindError, kind_of
from roost_agent.update.installed import Component, Installed, Release

SYSTEMCTL = """#!/bin/sh
echo "$*" >>{folder}/asked
case $* in
*show*) echo "ActiveState=$(cat {folder}/active)"; echo "Result=$(cat {folder}/result)" ;;
esac
"""


@pytest.fixture
def stage(tmp_path):
    made = InstallStage(tmp_path)
    script = tmp_path / "systemctl"
    script.write_text(SYSTEMCTL.format(folder=tmp_path))
    script.chmod(0o755)
    (tmp_path / "active").write_text("active")
    (tmp_path / "result").write_text("success")
    made.use_systemctl(str(script))
    return made


def install(stage, release, version, attempt, *, until="cleanup"):
    verbs = ("stage", "activate", "confirm", "cleanup")
    for verb in verbs[: verbs.index(until) + 1]:
        result = stage.ask(verb, release, version, attempt=attempt)
        assert result.word == "done", result


def links(stage):
    folder = stage.given.root / "etc/systemd/system"
    return {each.name: str(each.readlink()) for each in sorted(folder.iterdir())}


def test_units_are_links_into_what_runs_and_go_with_it(stage):
    one = stage.release("1.0", {"units/web.service": b"old", "bin/web": b"x"}, kind="unit")
    install(stage, one, "1.0", 1)
    target = "/opt/roost/app/demo/current/units/"
    assert links(stage) == {"web.service": f"{target}web.service"}
    files = {"units/web.service": b"new", "units/job.timer": b"t", "units/job.service": b"j"}
    two = stage.release("2.0", files, kind="unit")
    install(stage, two, "2.0", 2, until="activate")
    assert set(links(stage)) == {"web.service", "job.timer", "job.service"}
    assert stage.ask("rollback", two, "2.0", attempt=2).word == "done"
    assert links(stage) == {"web.service": f"{target}web.service"}
    assert stage.current()["units/web.service"] == b"old"
    asked = (stage.folder / "asked").read_text().splitlines()
    assert "--no-ask-password disable --now -- job.service job.timer" in asked
    assert asked.index("--no-ask-password daemon-reload") < asked.index(
        "--no-ask-password restart -- web.service"
    )


@pytest.mark.parametrize(
    ("active", "result", "why"),
    [("failed", "exit-code", "web.service is failed"), ("activating", "success", "activating")],
)
def test_a_unit_that_does_not_stay_up_is_measured_as_bad(stage, active, result, why):
    one = stage.release("1.0", {"units/web.service": b"x"}, kind="unit")
    install(stage, one, "1.0", 1, until="activate")
    assert measure.measured(stage.given)["app/demo"].digest == one
    (stage.folder / "active").write_text(active)
    (stage.folder / "result").write_text(result)
    found = measure.measured(stage.given)["app/demo"]
    assert found.digest == ""
    assert why in found.why


@pytest.mark.parametrize("name", ["roost-agent.service", "ssh.service", "web.conf"])
def test_a_release_brings_its_own_units_alone(stage, name):
    taken = stage.given.root / "usr/lib/systemd/system/ssh.service"
    taken.parent.mkdir(parents=True)
    taken.write_text("the machine's")
    bad = stage.release("1.0", {f"units/{name}": b"x"}, kind="unit")
    refused = stage.ask("stage", bad, "1.0")
    assert (refused.word, refused.code) == ("failed", "installer")
    assert name in refused.text


def package(folder, name, version):
    tree = folder / f"{name}-{version}"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: a <a@b>\n"
        "Description: of a test\n"
    )
    (tree / "opt").mkdir()
    (tree / f"opt/{name}").write_text(version)
    words = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(tree) + ".deb"]
    subprocess.run(words, check=True, capture_output=True)
    return tree.with_name(f"{tree.name}.deb").read_bytes()


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg: not Debian")
def test_packages_of_the_release_are_installed_and_those_before_come_back(stage):
    admin = stage.given.root / "var/lib/dpkg"
    for name in ("info", "updates", "triggers"):
        (admin / name).mkdir(parents=True)
    (admin / "status").touch()
    folder = stage.folder / "packages"
    old = {"web.deb": package(folder, "roost-demo-web", "1.0")}
    one = stage.release("1.0", old, kind="deb")
    install(stage, one, "1.0", 1)
    new = {
        "web.deb": package(folder, "roost-demo-web", "2.0"),
        "more.deb": package(folder, "roost-demo-more", "2.0"),
    }
    two = stage.release("2.0", new, kind="deb")
    install(stage, two, "2.0", 2, until="activate")
    assert (stage.given.root / "opt/roost-demo-web").read_text() == "2.0"
    assert measure.measured(stage.given)["app/demo"].digest == two
    back = stage.ask("rollback", two, "2.0", attempt=2)
    assert back.word == "done", back
    assert (stage.given.root / "opt/roost-demo-web").read_text() == "1.0"
    assert not (stage.given.root / "opt/roost-demo-more").exists()
    assert measure.measured(stage.given)["app/demo"].digest == one


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine with a shell and no program of any kind of installer."""
    folder = tmp_path / "bare"
    folder.mkdir()
    for name in ("sh", "cat", "python3", "sed", "basename"):
        if (real := shutil.which(name)) is not None:
            (folder / name).symlink_to(real)
    monkeypatch.setitem(contract.ENVIRONMENT, "PATH", str(folder))


def test_a_container_without_podman_is_told_and_changes_nothing(stage, bare):
    one = stage.release("1.0", {"image.tar": b"x", "image.id": b"0" * 64}, kind="container")
    refused = stage.ask("stage", one, "1.0")
    assert (refused.code, refused.text) == (
        "installer", "container: precheck: there is no podman on this machine",
    )  # fmt: skip
    assert stage.current() == {}


def test_an_installer_that_came_as_a_plugin_counts_once_it_is_committed(stage):
    program = b'#!/bin/sh\ncat >/dev/null\necho \'{"digest": "0a"}\'\n'
    with pytest.raises(KindError, match="no plugin/rauc is installed"):
        kind_of("rauc", "os", Installed(), stage.given.root)
    plugin = Component(running=Release("1", "0a" * 32, "files"))
    known = Installed(components={"plugin/rauc": plugin})
    kind = kind_of("rauc", "os", known, stage.given.root)
    path = stage.given.root / "opt/roost/plugin/rauc/current/installer"
    path.parent.mkdir(parents=True)
    path.write_bytes(program)
    path.chmod(0o755)
    assert call(kind.words, "verify", {}).said == {"digest": "0a"}
    for other in ("rauc", "deb", "unit"):
        with pytest.raises(KindError, match="config takes files"):
            kind_of(other, "config/acme", known, stage.given.root)


@pytest.mark.parametrize("kind", ["files", "unit", "deb", "container", "agent-self"])
def test_every_kind_describes_itself_and_takes_verbs_that_it_has_nothing_to_do_for(kind, stage):
    words = (sys.executable, "-m", f"roost_agent.install.installers.{kind.replace('-', '_')}")
    about = call(words, "describe", {})
    assert (about.exit, about.said["kinds"]) == (Exit.OK, [kind])
    one = stage.release("1.0", {"a": b"x"})
    request = json.loads(
        json.dumps({"component": "app/demo", "version": "1.0", "digest": one, "root": "/",
                    "place": str(stage.folder), "tree": str(stage.folder), "before": None})
    )  # fmt: skip
    assert call(words, "cleanup", request).exit is Exit.OK


@pytest.mark.parametrize("name", ["rauc", "ostree", "fwupd"])
def test_a_recipe_says_by_the_contract_what_it_is_and_that_its_tool_is_missing(name, stage, bare):
    recipe = Path(__file__).parents[4] / "packaging/recipes/installers" / name
    about = call((str(recipe),), "describe", {})
    assert (about.exit, about.said["kinds"]) == (Exit.OK, [name])
    answer = call((str(recipe),), "precheck", {"component": "os"})
    assert answer.exit is Exit.UNSUPPORTED
    assert "on this machine" in answer.text


AGENT = {f"bin/{name}": b"#!/bin/sh\necho 2\n" for name in ("roost-agent", "roost-helper")}
AGENT["bin/roost-install"] = b"#!/bin/sh\n"
MODES = dict.fromkeys(AGENT, 0o755)


def agent_release(stage, version, **more):
    files = AGENT | {"version": version.encode()} | more
    return stage.release(version, files, component="agent", kind="agent-self", modes=MODES)


@pytest.fixture
def node(stage):
    """A node as packaging/install.sh leaves it."""
    bin_ = stage.given.root / "usr/bin"
    bin_.mkdir(parents=True)
    (bin_ / "roost-agent").symlink_to("/usr/lib/roost/bin/roost-agent")
    (bin_ / "other").symlink_to("/usr/lib/other/bin/other")
    stage.signers.image.delegate("agent", "agent/*", stage.signers.apps, 2)
    return stage


def of_agent(stage, verb, release, version, attempt=1):
    result = stage.ask(verb, release, version, attempt=attempt, component="agent")
    assert result.word == "done", result
    return str((stage.given.root / "opt/roost/agent/current").readlink())


def test_a_new_agent_is_on_trial_and_the_old_one_brings_itself_back(node):
    one = agent_release(node, "2.0")
    for verb in ("stage", "activate"):
        current = (
            of_agent(node, verb, one, "2.0")
            if verb == "activate"
            else node.ask(verb, one, "2.0", component="agent")
        )
    place = node.given.root / "opt/roost/agent"
    links = node.given.root / "usr/bin"
    assert current == f"releases/{one}"
    assert str((place / "before").readlink()) == "/usr/lib/roost"
    assert str((links / "roost-agent").readlink()) == "/opt/roost/agent/current/bin/roost-agent"
    assert str((links / "other").readlink()) == "/usr/lib/other/bin/other"
    asked = (node.folder / "asked").read_text()
    assert asked.index("start -- roost-agent-trial.timer") < asked.index("kill --signal=SIGUSR1")
    flip = [f"--root={node.given.root}", f"--state={node.given.state}",
            f"--systemctl={node.given.systemctl}", "flip"]  # fmt: skip
    assert command(flip) == 0
    assert str((place / "current").readlink()) == "/usr/lib/roost"
    assert (node.folder / "asked").read_text().count("kill --signal=SIGUSR1") == 2
    assert measure.measured(node.given)["agent"].digest == ""
    assert of_agent(node, "rollback", one, "2.0") == "/usr/lib/roost"


def test_an_agent_that_was_committed_is_brought_back_by_nobody(node):
    one = agent_release(node, "2.0")
    for verb in ("stage", "activate", "confirm"):
        node.ask(verb, one, "2.0", component="agent")
    command([f"--root={node.given.root}", f"--state={node.given.state}", "--systemctl=", "flip"])
    assert measure.measured(node.given)["agent"].digest == one
    two = agent_release(node, "3.0")
    node.ask("stage", two, "3.0", component="agent", attempt=2)
    of_agent(node, "activate", two, "3.0", 2)
    assert of_agent(node, "rollback", two, "3.0", 2) == f"releases/{one}"


def test_an_agent_that_does_not_even_begin_is_not_tried(node):
    bad = {"bin/roost-agent": b"#!/bin/sh\necho no such module >&2\nexit 1\n"}
    one = agent_release(node, "2.0", **bad)
    refused = node.ask("stage", one, "2.0", component="agent")
    assert "bin/roost-agent --version: no such module" in refused.text
    assert not (node.given.root / "opt/roost/agent/current").exists()


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_link_is_on_the_disk_before_the_installer_says_so(stage):
    one = stage.release("1.0", {"a": b"x"})
    place = stage.given.root / "opt/roost/app/demo"
    place.mkdir(parents=True)
    request = {"component": "app/demo", "version": "1.0", "digest": one, "root": "/",
               "place": str(place), "tree": str(place), "before": None}  # fmt: skip
    trace = stage.folder / "trace"
    words = ("strace", "-y", "-o", str(trace), "-e", "trace=rename,fsync,write")
    module = (sys.executable, "-m", "roost_agent.install.installers.files")
    assert call((*words, *module), "activate", request).is_ok
    lines = trace.read_text().splitlines()
    moved = next(n for n, line in enumerate(lines) if line.startswith("rename("))
    synced = next(n for n, line in enumerate(lines) if f"<{place}>" in line and n > moved)
    said = next(n for n, line in enumerate(lines) if line.startswith("write(1"))
    assert lines[synced].startswith("fsync(")
    assert moved < synced < said
