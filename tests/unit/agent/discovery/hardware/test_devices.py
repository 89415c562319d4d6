import pytest

from roost_agent.discovery.devices import rdma, serial, watchdog


def test_a_watchdog_tells_its_settings_and_not_what_is_left(tree):
    base = "sys/class/watchdog/watchdog0"
    values = {"identity": "iTCO_wdt", "state": "active", "timeout": 60, "timeleft": 17}
    values |= {"pretimeout": 0, "bootstatus": 32, "nowayout": 1}
    tree.plant({f"{base}/{name}": value for name, value in values.items()})
    assert watchdog(tree.reader()).items["watchdog0"] == {
        "identity": "iTCO_wdt",
        "state": "active",
        "timeout_s": 60,
        "pretimeout_s": 0,
        "pretimeout_governor": None,
        "bootstatus": 32,
        "nowayout": True,
        "fw_version": None,
    }


def tty(machine, name, device, place, **files):
    """Plant a port ``place`` below ``device``; without ``device`` there is no chip behind it."""
    machine.device(f"sys/class/tty/{name}", place, **files)
    if device:
        machine.link(f"{place}/device", device)


PNP = "sys/devices/pnp0/00:05"


def test_a_serial_port_is_known_by_where_its_chip_is(machine):
    tty(machine, "ttyS0", PNP, f"{PNP}/tty/ttyS0", type=4)
    machine.driver(PNP, "serial")
    assert serial(machine.reader()).items == {"pnp0/00:05": {"name": "ttyS0", "driver": "serial"}}


def test_the_serial_core_of_a_newer_kernel_does_not_move_the_identity(machine):
    port = f"{PNP}/00:05:0/00:05:0.0"
    tty(machine, "ttyS0", port, f"{port}/tty/ttyS0", type=4)
    machine.driver(PNP, "serial").driver(port, "port")
    assert serial(machine.reader()).items == {"pnp0/00:05": {"name": "ttyS0", "driver": "serial"}}


def test_a_port_without_a_chip_and_a_console_are_left_out(machine):
    tty(machine, "ttyS1", PNP, f"{PNP}/tty/ttyS1", type=0)
    tty(machine, "tty0", None, "sys/devices/virtual/tty/tty0")
    assert serial(machine.reader()).missing == {"*": "absent"}


def test_a_port_on_usb_tells_the_adapter(machine):
    adapter = "sys/devices/pci0000:00/0000:00:14.0/usb1/1-2"
    machine.plant(
        {f"{adapter}/idVendor": "0403", f"{adapter}/idProduct": "6001", f"{adapter}/serial": "A1"}
    )
    port = f"{adapter}/1-2:1.0/ttyUSB0"
    tty(machine, "ttyUSB0", port, f"{port}/tty/ttyUSB0")
    machine.driver(port, "ftdi_sio")
    (item,) = serial(machine.reader()).items.values()
    assert (item["driver"], item["vendor_id"], item["product_id"]) == ("ftdi_sio", "0403", "6001")
    assert item["serial"] == "A1"


@pytest.mark.parametrize(
    ("rate", "mbps"),
    [("40 Gb/sec (4X QDR)", 40_000), ("2.5 Gb/sec (1X SDR)", 2500), ("fast", None)],
)
def test_an_rdma_adapter_is_known_by_its_guid_and_each_port_by_its_number(machine, rate, mbps):
    base = machine.device("sys/class/infiniband/mlx5_0", "sys/devices/x/infiniband/mlx5_0")
    port = f"{base}/ports/1"
    machine.plant(
        {
            f"{base}/node_guid": "506b:4b03:00aa:0001",
            f"{base}/fw_ver": "16.35",
            f"{port}/state": "4: ACTIVE",
            f"{port}/rate": rate,
            f"{port}/link_layer": "Ethernet",
        }
    )
    items = rdma(machine.reader()).items
    assert items["506b:4b03:00aa:0001"]["fw_ver"] == "16.35"
    assert items["506b:4b03:00aa:0001/1"] == {
        "state": "active",
        "rate_mbps": mbps,
        "link_layer": "Ethernet",
    }
