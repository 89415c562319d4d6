"""An installer that came as a plugin, run for real within its walls, as root's one-shot runs it."""

import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import pytest
from install_stage import InstallStage

from roost_agent.install import measure, rights
from roost_agent.install.calling import NotDoneError, call
from roost_agent.install.kinds import kind_of
from roost_agent.install.places import Given, request_of
from roost_agent.update.installed import NAME, Component, Installed, Release
from roost_protocol.remedy import REMEDIES, Refusal, remedy, taken_apart
from roost_protocol.update import FailureType

# It does what the file `act` of the release says, and finds what it left itself.
TOOL = b"""#!/bin/sh
set -eu
request=$(cat)
field() { printf '%s' "$request" | sed -n "s/.*\\"$1\\": \\"\\([^\\"]*\\)\\".*/\\1/p"; }
place=$(field place) root=$(field root) tree=$(field tree)
case $1 in
install) . "$tree/act" 3>&1 >&2 ;;
verify) printf '{"digest": "%s"}' "$(cat "$place/runs" 2>/dev/null)" && exit 0 ;;
rollback) rm -f "$place/runs" ;;
esac
echo '{}'
"""
RUNS = 'basename "$tree" >"$place/runs"\n'
OUTSIDE = 'echo x >"$root/etc/outside"\n'
UNIT = Path(__file__).parents[4] / "packaging/systemd/roost-install@.service"
MEMORY = Path("/dev/shm")  # /tmp is open to each plugin
CAN = (
    MEMORY.is_dir()
    and subprocess.run(("unshare", "--mount", "true"), check=False, capture_output=True).returncode
    == 0
)
pytestmark = [
    pytest.mark.skipif(not CAN, reason="needs root's right to mount, and /dev/shm"),
    pytest.mark.timeout(60),
]


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="roost-walls-", dir=MEMORY) as name:
        Path(name).chmod(0o755)
        yield Path(name)


class Node:
    """A machine in a folder with the plugin ``tool``, and releases of ``os`` as root puts them."""

    def __init__(self, folder):
        self.given = Given(folder / "root", folder / "state", trust=folder / "trust", systemctl="")
        self.root = self.given.root
        self.place = self.root / "opt/roost/os"
        for each in ("etc", "srv", "opt/roost/plugin/tool/current", "opt/roost/os/releases"):
            (self.root / each).mkdir(parents=True)
        for each in (self.given.state, self.given.trust):
            each.mkdir()
        program = self.root / "opt/roost/plugin/tool/current/installer"
        program.write_bytes(TOOL)
        program.chmod(0o755)
        plugin = Component(running=Release("1", "0a" * 32, "files"))
        self.kind = kind_of("tool", "os", Installed(components={"plugin/tool": plugin}), self.root)

    def grant(self, *paths):
        folder = self.root / "etc/roost/installers.d"
        folder.mkdir(parents=True)
        (folder / "tool.toml").write_text(f"writes = {[*paths]}\n")

    def install(self, act):
        """Have it install a release that says what it does; return why that was not done."""
        fresh = Release("1.0", "0b" * 32, "tool")
        request = request_of("os", fresh, None, self.given)
        tree = Path(request["tree"])
        tree.mkdir()
        (tree / "act").write_text(act)
        try:
            call(self.kind, "install", request, self.given)
        except NotDoneError as err:
            return err.code, str(err)
        return None


@pytest.fixture
def node(folder):
    return Node(folder)


def test_a_plugin_writes_in_its_place_and_in_temporary_folders(node):
    act = f'left=$(mktemp); echo x >"$left"; rm "$left"; echo x >/dev/null\n{RUNS}'
    assert node.install(act) is None
    assert (node.place / "runs").read_text().strip() == "0b" * 32


@pytest.mark.parametrize(
    "where",
    ["$root/etc/outside", "$tree/more", "$root/opt/roost/plugin/tool/current/installer",
     "$root/../state/state.json", "$root/../trust/more", "/etc/roost-outside"],
)  # fmt: skip
def test_a_plugin_that_writes_elsewhere_is_told_so_and_nothing_is_there(node, where):
    code, text = node.install(f'echo x >>"{where}"\n{RUNS}')
    assert code is Refusal.OUTSIDE
    assert text.startswith("tool: install: ")
    assert where.rpartition("/")[2] in text
    assert not (node.place / "runs").exists()
    for path in ("etc/outside", f"opt/roost/os/releases/{'0b' * 32}/more"):
        assert not (node.root / path).exists()
    assert (node.root / "opt/roost/plugin/tool/current/installer").read_bytes() == TOOL
    assert not Path("/etc/roost-outside").exists()


def test_what_its_tools_complained_of_is_told_though_it_says_a_sentence_of_its_own(node):
    act = f'( {OUTSIDE.strip()} ) || {{ echo \'{{"text": "no luck"}}\' >&3; exit 2; }}\n'
    code, text = node.install(act)
    assert code is Refusal.OUTSIDE
    assert "etc/outside: Read-only file system" in text


def test_a_plugin_writes_what_the_operator_named(node):
    node.grant("/srv", "/not/there")
    assert node.install(f'echo x >"$root/srv/image"\n{RUNS}') is None
    assert (node.root / "srv/image").read_text() == "x\n"


def test_what_is_closed_stays_so_below_what_the_operator_opened_by_another_name(node):
    (node.root / "var").mkdir()
    (node.root / "opt").rename(node.root / "var/opt")
    (node.root / "opt").symlink_to("var/opt")  # as where /opt is a part of /var
    node.grant("/var")
    code, _ = node.install('echo x >"$root/var/here"; echo x >"$place/more"; echo x >"$tree/no"')
    assert code is Refusal.OUTSIDE
    assert (node.root / "var/here").exists()
    assert (node.place / "more").exists()


def test_a_plugin_that_swallows_it_and_says_done_is_measured(node):
    assert node.install(f"( {OUTSIDE.strip()} ) 2>/dev/null || true\n") is None
    assert not (node.root / "etc/outside").exists()
    known = Installed(components={
        "plugin/tool": Component(running=Release("1", "0a" * 32, "files")),
        "os": Component(trial=Release("1.0", "0b" * 32, "tool")),
    })  # fmt: skip
    (node.given.state / NAME).write_bytes(msgspec.json.encode(known))
    assert measure.measured(node.given)["os"].digest == ""  # the agent tells that as `runs`


def test_no_wall_is_taken_down_and_nothing_goes_round_it(node):
    act = f"""
    mount -o remount,rw / || true
    mount -o remount,bind,rw "$root" || true
    unshare --mount --map-root-user sh -c 'mount -o remount,bind,rw /' || true
    ( {OUTSIDE.strip()} ) || true
    grep -E 'Cap(Prm|Bnd)' /proc/self/status >"$place/rights"
    """
    node.install(act)
    assert not (node.root / "etc/outside").exists()
    for line in (node.place / "rights").read_text().splitlines():
        kept = sum(1 << each for each in rights.PLUGIN)
        assert int(line.split()[1], 16) & ~kept == 0


def test_a_socket_that_is_shut_leads_to_nobody(folder):
    path = folder / "socket"
    knock = f"import socket; socket.socket(socket.AF_UNIX).connect({str(path)!r})"
    with socket.socket(socket.AF_UNIX) as heard:
        heard.bind(str(path))
        heard.listen()
        for shut, status in (([], 0), ([f"--shut={path}"], 1)):
            done = walls(*shut, "--", sys.executable, "-c", knock)
            assert done.returncode == status, done
    assert b"Connection refused" in done.stderr


def test_a_folder_that_is_mounted_read_only_is_open_where_it_is_named(folder):
    inner = folder / "inner"
    inner.mkdir()
    words = f"mount -t tmpfs none {inner} && mount -o remount,bind,ro {inner} && exec "
    words += (
        f"{sys.executable} -m roost_agent.install.walls --open={inner} -- /usr/bin/touch {inner}/x"
    )
    done = subprocess.run(("unshare", "-m", "sh", "-c", words), capture_output=True, check=False)
    assert done.returncode == 0, done


def test_without_the_right_to_build_walls_no_plugin_is_run(folder):
    done = walls("--", "/bin/echo", "run", before=("setpriv", "--bounding-set=-sys_admin"))
    assert done.returncode == 2
    assert done.stdout.startswith(
        b'{"code": "walls", "text": "it cannot be contained here: unshare'
    )
    done = walls("--", "/bin/echo", "run", before=("setpriv", "--bounding-set=-setpcap"))
    assert done.stdout.startswith(b'{"code": "walls"')


def test_what_the_unit_gives_root_is_enough_and_what_comes_with_roost_lends_none_of_it():
    line = next(each for each in UNIT.read_text().splitlines() if each.startswith("CapabilityB"))
    names = [each.lower().removeprefix("cap_") for each in line.partition("=")[2].split()]
    bounds = "-all," + ",".join(f"+{each}" for each in names)
    unit = ("setpriv", f"--bounding-set={bounds}", "--inh-caps=-all", "--no-new-privs")
    done = walls("--", "/bin/echo", "run", before=unit)
    assert done.stdout == b"run\n"
    code = "import os; from roost_agent.install import rights; rights.keep(rights.OWN); "
    code += "os.execv('/bin/grep', ['grep', 'CapPrm', '/proc/self/status'])"
    done = subprocess.run((*unit, sys.executable, "-c", code), capture_output=True, check=True)
    assert int(done.stdout.split()[1], 16) == sum(1 << each for each in rights.OWN)


def test_an_update_whose_installer_writes_outside_is_undone_and_names_what_to_do(folder):
    stage = InstallStage(folder)
    for family in ("os/*", "plugin/*/*"):
        stage.signers.image.delegate(family.partition("/")[0], family, stage.signers.apps, 2)
    (stage.given.root / "etc").mkdir()
    plugin = stage.release(
        "1.0", {"installer": TOOL}, modes={"installer": 0o755}, component="plugin/tool",
        job="d" * 32,
    )  # fmt: skip
    for verb in ("stage", "activate", "confirm"):
        assert stage.ask(verb, plugin, "1.0", component="plugin/tool").word == "done"
    bad = stage.release("2.0", {"act": OUTSIDE.encode()}, component="os", kind="tool")
    assert stage.ask("stage", bad, "2.0", attempt=2, component="os").word == "done"
    told = stage.ask("activate", bad, "2.0", attempt=2, component="os")
    assert (told.word, told.code) == ("failed", "outside")
    assert f"{stage.given.root}/etc/outside" in told.text
    failure = f"lab.n1: install: {told.code}: {told.text}"
    apart = taken_apart(failure)
    assert (apart.node, apart.step, apart.code) == ("lab.n1", "install", Refusal.OUTSIDE)
    assert remedy(FailureType.INSTALL, failure) == REMEDIES[Refusal.OUTSIDE]
    assert stage.ask("rollback", bad, "2.0", attempt=2, component="os").word == "done"
    assert stage.installed.component("os").trial is None
    assert not (stage.given.root / "etc/outside").exists()


def walls(*words, before=()):
    program = (sys.executable, "-m", "roost_agent.install.walls")
    return subprocess.run((*before, *program, *words), capture_output=True, check=False)
