"""Settings on a real kernel: parameters of a network namespace of its own, by root's one-shot."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from config_root import ConfigRoot

pytestmark = pytest.mark.netns

REAL = Path("/proc/sys/net")
TIMEOUT, FORWARD = "ipv4/tcp_fin_timeout", "ipv4/ip_forward"

SCRIPT = """
import json, pathlib, subprocess, sys
words, steps, paths = json.loads(sys.argv[1]), [], json.loads(sys.argv[4])
def now():
    return {p: pathlib.Path("/proc/sys/net", p).read_text().split() for p in paths}
pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").write_text("5000")
steps.append(now())
for digest in json.loads(sys.argv[2]):
    subprocess.run([*words, "apply", digest], check=True, stderr=subprocess.DEVNULL)
    told = json.loads(pathlib.Path(sys.argv[3], "told.json").read_text())
    steps.append({**now(), "state": told["state"], "text": told.get("text", "")})
print(json.dumps(steps))
"""


@pytest.fixture
def root(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("a network namespace of its own: not root")
    made = ConfigRoot(tmp_path)
    net = made.tree / "proc/sys/net"
    for path in sorted(net.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    net.rmdir()
    net.symlink_to(REAL)  # the kernel's own, of the namespace that reads it
    return made


def in_a_namespace(root, documents):
    """Apply documents one after the other; return the kernel's values before and after each."""
    given = root.given
    words = [sys.executable, "-m", "roost_agent.config_apply", f"--root={given.root}"]
    words += [f"--state={given.state}", f"--jobs={given.jobs}", f"--told={given.told}"]
    digests = [root.job({"kernel": {"sysctl": each}} if each else {}) for each in documents]
    argv = [json.dumps([*words, "--systemctl="]), json.dumps(digests), str(given.told)]
    argv.append(json.dumps([TIMEOUT, FORWARD]))
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", SCRIPT, *argv],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


def test_what_the_kernel_takes_is_in_effect_and_goes_back_when_nobody_wants_it(root):
    host = (REAL / TIMEOUT).read_text()
    wanted = {"net.ipv4.tcp_fin_timeout": 17, "net.ipv4.ip_forward": 1}
    before, after, back = in_a_namespace(root, [wanted, {}])
    assert (after[TIMEOUT], after[FORWARD], after["state"]) == (["17"], ["1"], "applied")
    assert {path: back[path] for path in (TIMEOUT, FORWARD)} == {
        path: before[path] for path in (TIMEOUT, FORWARD)
    }
    assert (REAL / TIMEOUT).read_text() == host  # another namespace's


def test_what_the_kernel_refuses_undoes_all_that_it_took(root):
    """Ports that an unprivileged program may not have are no local ports: ip-sysctl.rst."""
    kept = {"net.ipv4.tcp_fin_timeout": 17}
    refused = {"net.ipv4.ip_forward": 1, "net.ipv4.ip_local_port_range": [1_024, 60_999]}
    _, first, second = in_a_namespace(root, [kept, refused])
    assert first["state"] == "applied"
    assert second["state"] == "rolled-back"
    assert "ip_local_port_range: Invalid argument" in second["text"]
    assert (second[TIMEOUT], second[FORWARD]) == (first[TIMEOUT], first[FORWARD])
