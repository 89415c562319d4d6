"""Installers over the real tools: an image in podman, a signed bundle for RAUC, a commit of OSTree.

Without a boot loader nothing is booted: what RAUC and OSTree are asked ends with ``stage``. Each
tool works in a folder of the test, by a program of its name that says so to the real one.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from install_stage import InstallStage

from roost_agent.install import contract, measure
from roost_agent.install.contract import Exit, call

RECIPES = Path(__file__).parents[3] / "packaging/recipes/installers"
WAY = ("stage", "activate", "confirm", "cleanup")
SYSTEM = """\
[system]
compatible=demo
bootloader=noop
statusfile={folder}/status
[keyring]
path={folder}/ours.pem
[slot.rootfs.0]
device={folder}/slot0
type=raw
bootname=A
[slot.rootfs.1]
device={folder}/slot1
type=raw
bootname=B
"""

pytestmark = [pytest.mark.soak, pytest.mark.netns, pytest.mark.timeout(180)]  # root


@pytest.fixture
def stage(tmp_path):
    machine = tmp_path / "machine"
    machine.mkdir()
    made = InstallStage(machine)
    for family in ("os/*", "plugin/*/*"):
        made.signers.image.delegate(family.partition("/")[0], family, made.signers.apps, 2)
    return made


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """Put a program of a tool's name before the real one; return how a test runs it."""

    def put(name, words, before=""):
        real = shutil.which(name)
        if real is None:
            pytest.skip(f"no {name}: packaging/system.sh tools")
        folder = tmp_path / "tools"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(f'#!/bin/sh\n{before}\nexec {real} {words} "$@"\n')
        (folder / name).chmod(0o755)
        path = f"{folder}:{contract.ENVIRONMENT['PATH']}"
        monkeypatch.setitem(contract.ENVIRONMENT, "PATH", path)
        return lambda *said: run(folder / name, *said)

    return put


def run(*words, cwd=None):
    done = subprocess.run(
        [str(each) for each in words], check=False, capture_output=True, text=True, cwd=cwd
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def goes(stage, release, version, *verbs, attempt, component="app/demo"):
    for verb in verbs:
        result = stage.ask(verb, release, version, attempt=attempt, component=component)
        assert result.word == "done", result


@pytest.fixture
def short():
    """A folder that podman takes for what runs: no longer than 50 characters."""
    with tempfile.TemporaryDirectory(prefix="roost-", dir="/tmp") as name:
        yield name


def test_an_image_is_loaded_and_the_tag_leads_to_it_or_back(stage, tool, tmp_path, short):
    podman = tool(
        "podman",
        f"--root={tmp_path}/images --runroot={short} --storage-driver=vfs",
    )
    releases = [image(podman, tmp_path, version) for version in ("1.0", "2.0")]
    one = stage.release("1.0", releases[0], kind="container")
    goes(stage, one, "1.0", *WAY, attempt=1)
    assert tagged(podman) == releases[0]["image.id"].decode()
    two = stage.release("2.0", releases[1], kind="container")
    goes(stage, two, "2.0", "stage", "activate", attempt=2)
    assert tagged(podman) == releases[1]["image.id"].decode()
    assert measure.measured(stage.given)["app/demo"].digest == two
    goes(stage, two, "2.0", "rollback", attempt=2)
    assert tagged(podman) == releases[0]["image.id"].decode()
    assert measure.measured(stage.given)["app/demo"].digest == one
    podman("tag", releases[1]["image.id"].decode(), "localhost/roost/demo:current")
    assert "localhost/roost/demo:current is " in measure.measured(stage.given)["app/demo"].why
    other = stage.release("3.0", releases[1] | {"image.id": b"0" * 64}, kind="container")
    refused = stage.ask("stage", other, "3.0", attempt=3)
    assert (refused.word, refused.code) == ("failed", "installer")


def image(podman, folder, version):
    """An image of one file, as a release has it; it is gone from podman afterwards."""
    root = folder / f"fs{version}"
    root.mkdir()
    (root / "version").write_text(version)
    run("tar", "-C", root, "-cf", f"{root}.tar", ".")
    podman("import", "--quiet", f"{root}.tar", f"localhost/made:{version}")
    podman("save", "--quiet", "--output", f"{root}.image", f"localhost/made:{version}")
    made = podman("image", "inspect", "--format={{.Id}}", f"localhost/made:{version}")
    podman("rmi", "--force", made)
    return {"image.tar": Path(f"{root}.image").read_bytes(), "image.id": made.encode()}


def tagged(podman):
    return podman("image", "inspect", "--format={{.Id}}", "localhost/roost/demo:current")


def plugged(stage, name):
    """Install a recipe as a node gets it: a release of plugin/NAME."""
    files = {"installer": (RECIPES / name).read_bytes()}
    release = stage.release(
        "1.0", files, modes={"installer": 0o755}, component=f"plugin/{name}", job="d" * 32
    )
    goes(stage, release, "1.0", *WAY, attempt=1, component=f"plugin/{name}")
    words = (str(stage.given.root / f"opt/roost/plugin/{name}/current/installer"),)
    about = call(words, "describe", {})
    assert (about.exit, about.said["kinds"]) == (Exit.OK, [name])
    assert call(words, "list", {}).exit is Exit.OK
    return words


def test_a_bundle_is_staged_if_it_is_signed_for_this_system(stage, tool, tmp_path):
    folder = tmp_path / "rauc"
    folder.mkdir()
    (folder / "system.conf").write_text(SYSTEM.format(folder=folder))
    tool("rauc", f"--conf={folder}/system.conf")
    plugged(stage, "rauc")
    for turn, (by, wanted) in enumerate((("ours", "done"), ("theirs", "failed")), 2):
        files = {"bundle.raucb": bundle(folder, by)}
        release = stage.release(f"{turn}.0", files, component="os", kind="rauc")
        result = stage.ask("stage", release, f"{turn}.0", attempt=turn, component="os")
        assert result.word == wanted, result
    assert "the bundle is not signed for this system" in result.text
    assert stage.installed.component("os").running is None


def bundle(folder, by):
    """A bundle by a key of that name; its certificate is self-signed."""
    key, certificate = folder / f"{by}.key", folder / f"{by}.pem"
    run(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
        certificate, "-days", "2", "-subj", f"/CN={by}", "-addext", "keyUsage=digitalSignature",
    )  # fmt: skip
    content = folder / f"{by}.content"
    content.mkdir()
    (content / "rootfs.img").write_bytes(bytes(range(256)) * 64)
    (content / "manifest.raucm").write_text(
        "[update]\ncompatible=demo\nversion=2.0\n[bundle]\nformat=plain\n"
        "[image.rootfs]\nfilename=rootfs.img\n"
    )
    made = folder / f"{by}.raucb"
    run("/usr/bin/rauc", f"--cert={certificate}", f"--key={key}", "bundle", content, made)
    return made.read_bytes()


def test_a_commit_is_brought_by_its_delta_and_is_there(stage, tool, tmp_path):
    node, maker = tmp_path / "node", tmp_path / "maker"
    ostree = tool("ostree", "", before=f"export OSTREE_REPO={node}")
    plugged(stage, "ostree")
    run("/usr/bin/ostree", f"--repo={maker}", "init", "--mode=archive")
    run("/usr/bin/ostree", f"--repo={node}", "init", "--mode=bare")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "version").write_text("2.0")
    commit = run("/usr/bin/ostree", f"--repo={maker}", "commit", "--branch=demo", tree)
    delta = tmp_path / "update.delta"
    run(
        "/usr/bin/ostree", f"--repo={maker}", "static-delta", "generate", "--empty", "--inline",
        "--min-fallback-size=0", f"--filename={delta}", "demo",
    )  # fmt: skip
    files = {"update.delta": delta.read_bytes(), "commit": commit.encode()}
    release = stage.release("2.0", files, component="os", kind="ostree")
    goes(stage, release, "2.0", "stage", attempt=2, component="os")
    assert "2.0" in ostree("cat", commit, "/version")
    spoilt = files | {"update.delta": delta.read_bytes()[:-40]}
    bad = stage.release("3.0", spoilt, component="os", kind="ostree")
    result = stage.ask("stage", bad, "3.0", attempt=3, component="os")
    assert (result.word, result.code) == ("failed", "installer")
    assert "ostree static-delta failed" in result.text
