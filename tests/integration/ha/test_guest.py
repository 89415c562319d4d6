"""A machine that is fenced for real: a QEMU guest (TCG) whose board is ipmi_sim's, row 13.

Each host's box is a guest of its own, which shows life on its serial line; its guard, agent and
services run beside it and are tied to its life: they start when the guest is up and are killed when
its process has ended, as what runs in a machine is. They are killed by nothing else. The fence is
roost's own by IPMI over a network of its own (``roost-agent bmc fence``), so that all there is
between the standby's decision and the end of the guest is the board.
"""

import contextlib
import sys
import threading
import time

import pytest
from board_controllers import PASSWORD, USER
from guest_box import BOOT_S, GuestBox
from guest_initrd import initrd, why_none
from ha_bmcs import HOST, join_boards
from ha_netns import ip, needs_netns
from ha_netns import site as made
from ha_plan import NETWORKS, Plan

pytestmark = [
    pytest.mark.netns,
    pytest.mark.soak,
    needs_netns,
    pytest.mark.skipif(bool(why_none()), reason=why_none() or "it can"),
    pytest.mark.timeout(1200),
]
PATIENT = {"seconds": 300}
PAIR = Plan(names=("c0", "c1"))
LOOK_S = 0.02
READINGS_S = 30.0  # within which Off is read twice, or the order has failed (docs/ha.md)


# roost's own command; each of its answers is a line: the seconds since boot, and what it said.
NOTED = """\
#!/bin/sh
said=$("$@")
status=$?
for verb; do :; done
echo "$(cut -d ' ' -f 1 /proc/uptime) $verb $said" >>"$0.log"
echo "$said"
exit $status
"""


class Boxes:
    """The guests of c0 and c1, and what ties the nodes to them."""

    def __init__(self, site):
        self.site, self.ended_ns = site, {}
        join_boards(site)
        ip("link", "set", "lo", "up", inside=site.switch)  # between a board and its machine
        initrd(site.folder / "initrd")
        inside = ("nsenter", f"--net=/run/netns/{site.switch}")
        self.of = {
            name: GuestBox(
                site.folder / f"box-{name}", site.folder / "initrd", address=HOST, inside=inside
            )
            for name in site.nodes
        }
        for node in site.nodes.values():
            file = node.folder / "ha.toml"
            file.write_text('on_full_cut = "fence_incumbent"\n' + file.read_text() + self._fences())
        self._over = threading.Event()
        self._ties = [threading.Thread(target=self._tie, args=(name,)) for name in self.of]

    def start(self):
        for box in self.of.values():
            box.start().boot()
        for tie in self._ties:
            tie.start()

    def close(self):
        self._over.set()
        for tie in self._ties:
            if tie.is_alive():
                tie.join()
        for box in self.of.values():
            box.close()

    def _fences(self):
        boards, text = "", ""
        for name, box in self.of.items():
            boards += (
                f'[[bmc]]\nnode = "{name}"\ntype = "ipmi"\nhost = "{HOST}"\nuser = "{USER}"\n'
                f'password = "{PASSWORD}"\nipmi_port = {box.port}\n'
            )
        file = self.site.folder / "bmc.toml"
        file.write_text(boards)
        file.chmod(0o600)
        for name, box in self.of.items():
            noted = self.site.folder / f"fence-{name}"
            noted.write_text(NOTED)
            noted.chmod(0o755)
            words = [str(noted), sys.executable, "-m", "roost_agent", "bmc", "--file", str(file),
                     "--state-dir", str(self.site.folder), "fence", name]  # fmt: skip
            text += (
                f'[[fence]]\nnode = "{name}"\ndriver = "command"\ncommand = {words!r}\n'
                f'uuid = "{box.machine}"\ntimeout_s = 30\n'
            )
        return text

    def answers(self, name):
        """What roost's fence of a box answered: (ns since boot, verb, what it printed)."""
        lines = (self.site.folder / f"fence-{name}.log").read_text().splitlines()
        for line in lines:
            seconds, verb, *said = line.split()
            yield round(float(seconds) * 1e9), verb, " ".join(said)

    def _tie(self, name):
        """Let a node live as long as its guest does."""
        box, node, lives = self.of[name], self.site.nodes[name], False
        while not self._over.wait(LOOK_S):
            if lives and not box.pid():
                self.ended_ns[name] = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
                node.power_off()
                lives = False
            elif not lives and box.is_up():
                node.start()
                lives = True


@contextlib.contextmanager
def guests(folder):
    with made(folder, PAIR) as site:
        boxes = Boxes(site)
        try:
            boxes.start()
            site.until(site.active, "the group runs", **PATIENT)
            yield site, boxes
        finally:
            boxes.close()
        assert site.oracle.overlap_ns() == 0
        for node in site.nodes.values():
            assert PASSWORD not in node.agent.log.read_text()


def other(name):
    return {"c0": "c1", "c1": "c0"}[name]


def is_tested(node):
    """Whether a node has read the power of every box but its own, and found nothing wrong."""
    told = node.status()
    fences = [] if told is None else told["fencing"]["fences"]
    of_others = [each for each in fences if each["node"] != node.name]
    return bool(of_others) and all(
        each["tried_ago_ms"] is not None and not each["fault"] for each in of_others
    )


def test_a_power_off_out_of_band_ends_the_machine_and_the_standby_takes_over(tmp_path):
    with guests(tmp_path) as (site, boxes):
        active = site.settled()
        standby, box = other(active), boxes.of[active]
        first = box.pid()
        for node in site.nodes.values():
            site.until(lambda node=node: is_tested(node), "its fence is tested", **PATIENT)
        assert "guest: alive" in box.said()
        for network in NETWORKS:
            site.network(network, "down")
        site.until(lambda: active in boxes.ended_ns, "the guest's process has ended", **PATIENT)
        site.until(lambda: site.active() == standby, "the standby runs it", **PATIENT)
        assert boxes.of[standby].pid(), "nobody fenced the standby"
        began = next(ns for ns, name, _ in site.oracle.lines() if name == standby)
        took_s = (began - boxes.ended_ns[active]) / 1e9
        print(f"from the end of the machine to its successor: {took_s:.2f} s")
        answers = [each for each in boxes.answers(active) if each[0] <= began]
        assert [verb for _, verb, _ in answers if verb != "status"] == ["off"]
        reads = [said for ns, verb, said in answers if ns >= boxes.ended_ns[active]]
        assert [said for said in reads if said] == [f"off {box.machine}"] * 2, "read twice"
        assert took_s <= READINGS_S + PAIR.promise_s
        site.until(box.is_up, "the machine was switched on again", seconds=BOOT_S)
        assert box.pid() != first
        for network in NETWORKS:
            site.network(network, "up")
        assert site.settled() == standby
        assert [name for name, _ in site.epochs()] == [active, standby]
