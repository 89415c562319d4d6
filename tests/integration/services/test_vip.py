"""Virtual addresses between two nodes: network namespaces joined by a cable."""

import contextlib
import os
import re
import subprocess
import sys

import pytest
from cgroups import needs_cgroups
from guard_process import Guard
from waiting import wait_until

UP = """
import asyncio, sys
from roost_agent.ha.services.vip import Vips
from roost_agent.ports import SystemClock
text, wait_ms = sys.argv[1:]
print(asyncio.run(Vips([(text, "lan")], int(wait_ms), SystemClock()).up()))
"""
KEPT = """
import asyncio, sys
from roost_agent.ha.services import vip
from roost_agent.ports import SystemClock
vip.REFRESH_S = 0.2
vips = vip.Vips([(sys.argv[1], "lan")], 300, SystemClock())
async def main():
    await vips.up()
    print("up", flush=True)
    input()
    await asyncio.wait_for(vips.keep(), 1)
asyncio.run(main())
"""
# How many frames say that an address is the other's, until its standard input ends.
CLAIMS = """
import ipaddress, sys, threading
from roost_agent.ha.services.vip_frame import owner
from roost_agent.ha.services.vip_link import Link
address = ipaddress.ip_interface(sys.argv[1]).ip
link = Link("lan")
sock = link._sock
sock.settimeout(0.05)
print("listens", flush=True)
ends = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ends.set()), daemon=True).start()
found = 0
while True:
    try:
        found += owner(sock.recv(2048), address) not in (None, link.mac)
    except TimeoutError:
        if ends.is_set():
            break
print(found)
"""
GATEWAYS = """
import asyncio
from roost_agent.ha.gateway_watch import is_there
from roost_agent.ha.routes import default_gateways
print({str(each[1]): asyncio.run(is_there(each)) for each in default_gateways()})
"""
FOUR, SIX = "10.9.0.9/24", "fd09::9/64"
OTHER = "02:00:00:00:00:77"


def ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def why_none():
    name = f"roost-why-{os.getpid()}"
    if not ip("netns", "add", name)[0]:
        return "kernel lacks network namespaces that we may make (CAP_NET_ADMIN)"
    ip("netns", "del", name)
    return ""


WHY_NONE = why_none()
pytestmark = [
    pytest.mark.netns,
    pytest.mark.timeout(300),
    pytest.mark.skipif(bool(WHY_NONE), reason=WHY_NONE or "there are some"),
]


class Node:
    """One end of the cable."""

    def __init__(self, name, number):
        self.name = name
        assert ip("netns", "add", name)[0]
        self.own = f"10.9.0.{number}/24"

    def join(self):
        for words in (
            ("link", "set", "lo", "up"),
            ("link", "set", "lan", "up"),
            ("address", "add", self.own, "dev", "lan"),
            ("address", "add", f"fd09::{self.own[7:8]}/64", "dev", "lan", "nodad"),
        ):
            told = self.ip(*words)
            assert not told, told

    def ip(self, *words):
        return ip("-n", self.name, *words)[1]

    def mac(self):
        return re.search("link/ether ([0-9a-f:]+)", self.ip("link", "show", "lan"))[1]

    def has(self, text):
        return text.partition("/")[0] + "/" in self.ip("address", "show", "dev", "lan")

    def run(self, *words, **options):
        return subprocess.Popen(
            ["ip", "netns", "exec", self.name, sys.executable, *words],
            stdout=subprocess.PIPE,
            text=True,
            **options,
        )

    def up(self, text, wait_ms):
        return self.run("-c", UP, text, str(wait_ms))


@pytest.fixture
def nodes():
    made = []
    with contextlib.ExitStack() as stack:
        for number in (1, 2):
            name = f"roost-{os.getpid()}-{number}"
            made.append(Node(name, number))
            stack.callback(ip, "netns", "del", name)
        one, two = made
        cable = ("type", "veth", "peer", "name", "lan", "netns", two.name)
        assert ip("-n", one.name, "link", "add", "lan", *cable)[0]
        for node in made:
            node.join()
        yield made


def said(process):
    with process:
        return process.communicate(timeout=60)[0].strip()


@pytest.mark.parametrize("text", [FOUR, SIX])
def test_an_address_comes_and_the_others_learn_where_it_is(nodes, text):
    one, two = nodes
    address = text.partition("/")[0]
    two.ip("neighbour", "replace", address, "lladdr", OTHER, "dev", "lan", "nud", "stale")
    assert OTHER in two.ip("neighbour", "show", address)
    assert said(one.up(text, 1_000)) == ""
    assert one.has(text)
    wait_until(lambda: one.mac() in two.ip("neighbour", "show", address), "the other learns it")


@pytest.mark.parametrize("text", [FOUR, SIX])
def test_an_address_that_another_has_is_not_taken(nodes, text):
    one, two = nodes
    two.ip("address", "add", text, "dev", "lan", *(("nodad",) if ":" in text else ()))
    told = said(one.up(text, 300))
    assert told == f"vip-conflict: {two.mac()} has {text} on lan"
    assert not one.has(text)


def test_one_that_goes_on_answering_is_asked_now_and_then_and_told_of_once(nodes):
    one, two = nodes
    two.ip("address", "add", FOUR, "dev", "lan")
    before = int(rx(two))
    process = one.run("-c", UP, FOUR, "1000", stderr=subprocess.PIPE)
    told, complaints = process.communicate(timeout=60)
    assert told.startswith("vip-conflict")
    times = complaints.count("still has")
    assert times == 1, complaints[:500]
    assert int(rx(two)) - before < 20  # a question each 200 ms, and what else is on a cable


def counted(two, text, act):
    """How many claims of an address come to a node while something is done."""
    with two.run("-c", CLAIMS, text, stdin=subprocess.PIPE) as listener:
        assert listener.stdout.readline() == "listens\n"
        act()
        return int(listener.communicate(timeout=60)[0])


@pytest.mark.parametrize("text", [FOUR, SIX])
def test_who_has_an_address_says_so_three_times_and_again_and_again(nodes, text):
    one, two = nodes
    with one.run("-c", KEPT, text, stdin=subprocess.PIPE) as holder:
        first = counted(two, text, lambda: holder.stdout.readline() == "up\n")
        later = counted(two, text, lambda: holder.communicate("\n", timeout=60))
    assert first == 3
    assert 2 <= later <= 5


def test_it_is_taken_once_the_other_is_silent(nodes):
    one, two = nodes
    two.ip("address", "add", FOUR, "dev", "lan")
    waiting = one.up(FOUR, 60_000)
    # It has been asked at least once when the other's kernel knows a stranger's question.
    wait_until(lambda: int(rx(two)) > 0, "a question comes")
    assert not one.has(FOUR)
    two.ip("address", "del", FOUR, "dev", "lan")
    assert said(waiting) == ""
    assert one.has(FOUR)


def rx(node):
    """How many packets a node received."""
    lines = node.ip("-s", "link", "show", "lan").splitlines()
    at = next(number for number, line in enumerate(lines) if "RX:" in line)
    return lines[at + 1].split()[1]


@needs_cgroups
@pytest.mark.parametrize("text", [FOUR, SIX])
def test_the_guard_removes_it_at_d2(nodes, text, tmp_path, root):
    one, _ = nodes
    guard = Guard(tmp_path, root, inside=("ip", "netns", "exec", one.name))
    guard.start()
    try:
        one.ip("address", "add", text, "dev", "lan", *(("nodad",) if ":" in text else ()))
        guard.arm(deadlines=(300, 600, 4_000), vips=[(text, "lan"), ("10.9.9.9/24", "gone")])
        assert one.has(text)
        wait_until(lambda: not one.has(text), "the address goes")
        wait_until(lambda: guard.state()["ended"] == {"main": 5}, "the hold ends")
        assert one.has(one.own)
    finally:
        guard.kill()


def test_an_interface_that_is_not_there_is_told(nodes):
    code = UP.replace('"lan"', '"gone"')
    assert "gone: No such device" in said(nodes[0].run("-c", code, FOUR, "0"))


def test_the_gateways_of_the_default_routes_are_asked_and_answer_while_they_are_there(nodes):
    one, two = nodes
    assert said(one.run("-c", GATEWAYS)) == "{}", "a machine may have none"
    for family, gateway in (("-4", "10.9.0.2"), ("-6", "fd09::2")):
        assert one.ip(family, "route", "add", "default", "via", gateway, "dev", "lan") == ""
    answered = "{'10.9.0.2': %s, 'fd09::2': %s}"
    assert said(one.run("-c", GATEWAYS)) == answered % (True, True)
    two.ip("address", "flush", "dev", "lan")
    assert said(one.run("-c", GATEWAYS)) == answered % (False, False)
