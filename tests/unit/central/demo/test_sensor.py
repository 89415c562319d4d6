"""The demo's application: each process of it is of one release, whatever the link says."""

import os
import subprocess
import sys
import time

from roost_central.demo import sensor

WAIT_S = 30.0


def test_a_program_that_began_as_the_link_moved_becomes_the_other_release(tmp_path):
    folders = sensor.sources(tmp_path)
    started = folders[sensor.GOOD]
    other = tmp_path / "other"
    other.mkdir()
    for name in ("bin/sensor", "etc/calibration.csv"):
        (other / name).parent.mkdir()
        (other / name).write_text((started / name).read_text().replace(sensor.GOOD, "2.0.9"))
    link, reading = tmp_path / "current", tmp_path / "reading"
    link.symlink_to(other)
    with subprocess.Popen(
        [sys.executable, "-S", "bin/sensor", link, reading, str(os.getpid())], cwd=started
    ) as child:
        try:
            until = time.monotonic() + WAIT_S
            while not reading.exists() and time.monotonic() < until:
                time.sleep(0.05)
            assert reading.read_text().startswith("sensor 2.0.9 reads")
        finally:
            child.kill()
