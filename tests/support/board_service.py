"""A Redfish service with a machine of so many sensors, as a program: its port on the first line.

``board_service.py FOLDER SENSORS [--expands]``; FOLDER has bmc.pem and bmc.key. It ends with its
standard input.
"""

import sys
from pathlib import Path

from board_controllers import Service, machine


def main():
    folder, sensors, *more = sys.argv[1:]
    resources = machine(int(sensors), expands="--expands" in more)
    with Service(Path(folder) / "bmc.pem", resources) as service:
        print(service.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
