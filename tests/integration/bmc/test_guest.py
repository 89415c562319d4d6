"""A board in-band: the agent's own code on a kernel that has a real /dev/ipmi0, in a QEMU guest.

What it reads there is held against what ipmitool and the agent read of the same board over the LAN,
and what it does there (to its own power) is done. This board tells its UUID over the LAN alone.
"""

import json
import subprocess
import sys

import pytest
from board_controllers import SENSORS, bmc_toml
from guest_box import BOOT_S, GuestBox
from guest_initrd import PYTHON, initrd, why_none
from waiting import wait_until

from roost_agent.bmc import ipmi_text

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(bool(why_none()), reason=why_none() or "it can"),
    pytest.mark.timeout(900),
]
# A second sensor, which the board does not scan: it holds a number, and that is no reading.
UNSCANNED = (
    "sensor_add 0x20 0 2 0x01 0x01\nsensor_set_value 0x20 0 2 0x63 0\n"
    "sensor_set_event_support 0x20 0 2 enable no-scanning per-state "
    + " ".join(["000111111000000"] * 4)
    + "\n"
)
RECORD = SENSORS[SENSORS.index("sdr type 1\n") :]
SPARE = RECORD.replace("sensor_number 1", "sensor_number 2").replace("CPU Temp", "Spare")
SPARE = SPARE.replace("init_scanning true", "init_scanning false").replace(
    "default_sensor_scan_on true", "default_sensor_scan_on false"
)
# As the agent's user, whom a rule of udev lets in (docs/bmc.md).
USERS = b"root:x:0:0::/:/bin/sh\nroost:x:997:997::/:/bin/sh\n"
AGENT = f"{PYTHON} -B -m roost_agent bmc --file /bmc.toml --state-dir /tmp"
HOT = 150  # degrees, past its limits
TASK = f"""
export PYTHONPATH=/packages
chmod 644 /etc/passwd
chown 997 /bmc.toml
chgrp 997 /dev/ipmi0
chmod 660 /dev/ipmi0
for each in "sensors n1 --json" "power n1 status --json"; do
    echo "begin $each"
    su roost -c "{AGENT} $each"
    echo "end $each: $?"
done
echo "guest: done"
until su roost -c "{AGENT} sensors n1 --json" | grep '"value": {HOT}.0'; do :; done
su roost -c "{AGENT} power n1 off --forced --yes"
"""


@pytest.fixture
def box(tmp_path):
    files = [
        ("/bmc.toml", b'[[bmc]]\nnode = "n1"\nhost = "local"\n'), ("/etc/passwd", USERS)
    ]  # fmt: skip
    initrd(tmp_path / "initrd", task=TASK, programs=True, more=files)
    made = GuestBox(tmp_path / "box", tmp_path / "initrd", memory_mb=768, more=(UNSCANNED, SPARE))
    try:
        yield made.start()
    finally:
        made.close()


def said(box, words):
    """What a command printed in the guest; it ended well."""
    text = box.said().split(f"begin {words}\n", 1)[1]
    assert f"end {words}: 0" in text, text
    return text.split(f"end {words}", 1)[0]


def by_lan(folder, box):
    """What the agent reads of the sensors over the LAN."""
    file = bmc_toml(folder, type="ipmi", ipmi_port=box.port)
    words = (sys.executable, "-m", "roost_agent", "bmc", "--file", file, "--state-dir", folder)
    done = subprocess.run(
        (*words, "sensors", "n1", "--json"), capture_output=True, check=True, timeout=120
    )
    return json.loads(done.stdout)


def test_what_a_real_device_says_in_band_is_what_the_lan_says_and_its_order_is_done(tmp_path, box):
    box.boot()
    wait_until(lambda: "guest: done" in box.said(), "its task is done", seconds=3 * BOOT_S)
    inside = json.loads(said(box, "sensors n1 --json"))
    outside = ipmi_text.sensors(box.tool("-v", "sensor"))
    read = {each["key"]: each.get("value") for each in inside["sensors"]}
    assert read == {each.key: each.value for each in outside}
    assert len(read) == 2
    (cpu,) = (each for each in inside["sensors"] if each["name"] == "CPU Temp")
    assert (cpu["value"], cpu["limits"]) == (48.0, {"unc": 112.0, "ucr": 144.0, "unr": 160.0})
    (spare,) = (each for each in inside["sensors"] if each["name"] == "Spare")
    assert "value" not in spare, "a sensor that is not scanned has no reading"
    assert by_lan(tmp_path, box)["sensors"] == inside["sensors"]
    assert json.loads(said(box, "power n1 status --json"))["power"] == "on"
    assert box.pid()
    (box.folder / "temp").write_text(f"{HOT}\n")
    wait_until(lambda: not box.pid(), "it saw that, and has no power", seconds=2 * BOOT_S)
    assert "is off" in box.tool("chassis", "power", "status")
