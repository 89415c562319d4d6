"""What one address may take of the centre's listeners, by the shipped rules for nftables."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ha_netns import ip, needs_netns

pytestmark = [pytest.mark.netns, needs_netns]
ROOT = Path(__file__).parents[3]
RULES = ROOT / "packaging/nftables/roost-centre.nft"
HELD = int(re.search(r"ct count over (\d+)", RULES.read_text())[1])


@pytest.fixture
def space():
    name = f"roost-nft-{os.getpid()}"
    ip("netns", "add", name)
    ip("link", "set", "lo", "up", inside=name)
    yield name
    ip("netns", "del", name)


def inside(space, *words):
    done = subprocess.run(
        ("nsenter", f"--net=/run/netns/{space}", *words),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def crowd(space, count):
    program = ROOT / "tests/support/crowd.py"
    return json.loads(inside(space, sys.executable, program, "8883", str(count)))


def test_one_address_takes_so_many_connections_and_another_comes_in_all_the_same(space):
    for _ in range(2):
        inside(space, "nft", "-f", RULES)  # the second time replaces it
    assert inside(space, "nft", "list", "tables") == "table inet roost_centre\n"
    assert crowd(space, HELD + 30) == {"many": HELD, "other": True}


def test_without_the_rules_nothing_holds_it_back(space):
    assert crowd(space, HELD + 30) == {"many": HELD + 30, "other": True}
