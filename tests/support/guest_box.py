"""A machine in the machine: a QEMU guest (TCG) whose power and board are ipmi_sim's.

ipmi_sim starts the guest when its chassis is switched on and ends it when it is switched off, and
speaks with its board (a KCS interface, ``/dev/ipmi0``) meanwhile. So a power-off over the LAN ends
a process, and nothing else here does.
"""

import contextlib
import os
import subprocess
import uuid
from pathlib import Path

from board_controllers import EMULATION, PASSWORD, SENSORS, USER, free_port, lan_conf
from guest_initrd import KERNEL
from waiting import wait_until

BOOT_S = 300  # of a guest, on a machine that has other work: it takes some 20 s alone
MACHINE = """\
#!/bin/sh
cd "$(dirname "$0")"
echo $$ >pid.part && mv pid.part pid
exec qemu-system-x86_64 -accel tcg -M q35 -cpu max -smp 1 -m {memory_mb}M -nic none -no-reboot \\
    -display none -monitor none -serial file:serial -uuid {machine} \\
    -kernel {kernel} -initrd {initrd} -append "console=ttyS0 quiet panic=-1 no_timer_check" \\
    -chardev socket,id=board,host=127.0.0.1,port={vm_port},reconnect=1 \\
    -device ipmi-bmc-extern,id=bmc0,chardev=board -device isa-ipmi-kcs,bmc=bmc0 >qemu.log 2>&1
"""


class GuestBox:
    """One machine and its board.

    Args:
        folder: of its own.
        initrd: that it boots.
        address: of the board, in the network that it is in.
        inside: words that start a program there.
        more: (emulation, records) of sensors beside the usual one.
    """

    def __init__(  # noqa: PLR0913 - what a machine has
        self, folder, initrd, *, address="127.0.0.1", inside=(), memory_mb=192, more=("", "")
    ):
        self.folder, self.address, self._inside = folder, address, inside
        self.port, self.machine = free_port(), str(uuid.uuid4())
        folder.mkdir()
        vm_port = free_port()
        (folder / "lan.conf").write_text(
            lan_conf(self.port, address, _guid(self.machine),
                     f'  serial 15 127.0.0.1 {vm_port} codec VM\n  startcmd "{folder}/machine.sh"\n'
                     "  startnow false\n  poweroff_wait 5\n  kill_wait 1\n")
        )  # fmt: skip
        (folder / "sim.emu").write_text(EMULATION.replace("mc_enable", more[0] + "mc_enable"))
        (folder / "sensors.src").write_text(SENSORS + more[1])
        (folder / "temp").write_text("48\n")
        script = folder / "machine.sh"
        script.write_text(
            MACHINE.format(
                memory_mb=memory_mb, machine=self.machine, kernel=KERNEL / "vmlinuz",
                initrd=initrd, vm_port=vm_port,
            )
        )  # fmt: skip
        script.chmod(0o755)
        sdr = folder / "state/ipmi_sim/board/sdr.20.main"
        sdr.parent.mkdir(parents=True)
        subprocess.run(("sdrcomp", "-o", sdr, "sensors.src"), cwd=folder, check=True, timeout=30)
        self._board = None

    def start(self):
        """Start the board; its machine is off."""
        words = ("ipmi_sim", "-c", "lan.conf", "-f", "sim.emu", "-s", self.folder / "state", "-n")
        with (self.folder / "sim.log").open("w") as log:
            self._board = subprocess.Popen(
                (*self._inside, *words), cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
            )  # fmt: skip
        wait_until(lambda: "is off" in self.tool("chassis", "power", "status"), "the board answers")
        return self

    def boot(self):
        """Switch the machine on, and wait until it is up."""
        self.tool("chassis", "power", "on")
        wait_until(lambda: "guest: up" in self.said(), "the guest is up", seconds=BOOT_S)

    def tool(self, *words):
        """What ipmitool prints, over the LAN."""
        known = ("-I", "lanplus", "-H", self.address, "-p", str(self.port), "-U", USER)
        return subprocess.run(
            (*self._inside, "ipmitool", *known, "-E", "-C", "3", "-N", "1", "-R", "1", *words),
            capture_output=True, text=True, timeout=60, check=False,
            env=os.environ | {"IPMI_PASSWORD": PASSWORD},
        ).stdout  # fmt: skip

    def pid(self):
        """Of the guest that runs; 0: none does."""
        try:
            pid = int((self.folder / "pid").read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes()  # empty of one that only waits
        except (OSError, ValueError):
            return 0
        return pid if self.machine.encode() in words else 0

    def said(self):
        """All that the guest of this boot wrote to its serial line."""
        try:
            return (self.folder / "serial").read_text(errors="replace") if self.pid() else ""
        except OSError:
            return ""

    def is_up(self):
        return "guest: up" in self.said()

    def close(self):
        if self._board is None:
            return
        with contextlib.suppress(subprocess.SubprocessError):
            self.tool("chassis", "power", "off")
        self._board.kill()
        self._board.wait()
        if pid := self.pid():
            os.kill(pid, 9)


def _guid(machine):
    """Return the bytes that ipmitool shows as this UUID: it reads them from the last."""
    return "".join(reversed([machine.replace("-", "")[at : at + 2] for at in range(0, 32, 2)]))
