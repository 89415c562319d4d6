"""``roost-agent ha check`` as a person runs it: every fault of a file at once, with names."""

import subprocess
import sys

import pytest
from ha_plan import Plan

COMMAND = (sys.executable, "-m", "roost_agent", "ha", "check")
WHOLE = Plan().text(["/usr/bin/db"])
WRONG = """
[[group]]
name = "main"
model = "2N"
hosts = ["c0", "c9"]
requires_active = ["other"]
[[group]]
name = "other"
model = "2N"
hosts = ["c0"]
requires_active = ["main"]
vip = [{address="10.0.0.1", network="dmz"}]
[[service]]
name = "db"
group = "mian"
run = {start=["db"], ocf="/usr/lib/ocf/db"}
[[service]]
name = "web"
group = "main"
exclusive = "none"
run = {start=["/usr/bin/web"]}
depends = ["cache"]
budget = {stop_s=9}
[[service]]
name = "cache"
group = "main"
run = {systemd="cache.service"}
depends = ["web"]
ladder = ["failover", "restart:3/600"]
passive = ["log:error"]
[[service]]
name = "batch"
group = "main"
run = {start=["/usr/bin/batch"]}
budget = {stop_s="long"}
[timing]
leese_ms = 9000
"""
SAID = (
    "group.requires_active: a cycle: ",
    "service.depends: a cycle: ",
    "group[main].hosts: 'c9' is no node",
    'group[other].hosts: 1 host: model "2N" needs 2 or more',
    "group[other].vip.network: 'dmz' is no network",
    "group[other].vip.address: '10.0.0.1': must be ADDRESS/LENGTH",
    "group: 'main' stands there twice",
    "service[db].group: 'mian' is no group",
    "service[db].run: start and ocf: must be one of",
    "service[db].run.start: 'db': a program is named by its absolute path",
    'service[web].exclusive: "none": model "2N" needs "soft" or "hard"',
    "service[cache].ladder: ",
    "service[cache].passive: 'log:error': no log is watched",
    "service[batch].budget.stop_s: 'long': must be a number from 0.1 to 3,600",
    "timing.leese_ms: unknown key, did you mean lease_ms?",
    "timing: lease_ms is 6000: stopping takes 9000 ms",
)


def checked(folder, text):
    file = folder / "ha.toml"
    file.write_text(text)
    file.chmod(0o600)
    done = subprocess.run((*COMMAND, file), capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


def test_a_site_that_holds_is_told_as_what_it_is(tmp_path):
    status, told, wrong = checked(tmp_path, WHOLE)
    assert (status, wrong) == (0, "")
    assert told.startswith("OK  3 nodes, profile default")
    assert "takeover  not before 7.122 s after the last grant" in told
    assert "WARNING   only 2 paths between c0 and c1 have no network, broker or node in" in told


def test_every_kind_of_mistake_is_told_at_once(tmp_path):
    status, told, wrong = checked(tmp_path, WHOLE + WRONG)
    assert (status, told) == (2, "")
    for each in SAID:
        assert f"ha.toml: {each}" in wrong, wrong
    assert "Traceback" not in wrong


@pytest.mark.parametrize(
    ("paths", "element"),
    [
        ('{driver="udp", network="mgmt"}', "network mgmt"),
        ('{driver="mqtt", broker="c0", network="mgmt"}', "the broker on c0"),
        (
            '{driver="mqtt", broker="w1", network="mgmt"}, '
            '{driver="mqtt", broker="w1", network="cluster"}',
            "node w1",
        ),
    ],
)
def test_the_element_that_would_cut_two_voters_apart_is_named(tmp_path, paths, element):
    lines = (
        f"paths = [{paths}]" if line.startswith("paths = ") else line for line in WHOLE.splitlines()
    )
    status, _, wrong = checked(tmp_path, "\n".join(lines))
    assert status == 2
    assert f"ha.toml: paths: {element} is in every path between c0 and c1: " in wrong, wrong
