from roost_agent.discovery.storage import storage_controller

SAS = "0000:3b:00.0"


def test_a_controller_is_its_pci_function_with_what_its_host_adds(machine):
    place = machine.pci(SAS, class_="0x010700", device="0x0097", vendor="0x1000")
    machine.driver(place, "mpt3sas")
    machine.plant({"usr/share/hwdata/pci.ids": "1000  Broadcom\n\t0097  SAS3008\n"})
    host = f"{place}/host0/scsi_host/host0"
    machine.device("sys/class/scsi_host/host0", host, version_fw="16.00.12.00", proc_name="mpt3sas")
    item = storage_controller(machine.reader()).items[SAS]
    assert (item["kind"], item["model"], item["driver"]) == ("sas", "SAS3008", "mpt3sas")
    assert item["firmware"] == "16.00.12.00"


def test_an_nvme_controller_tells_its_namespaces(machine):
    place = machine.pci("0000:01:00.0", class_="0x010802")
    machine.device(
        "sys/class/nvme/nvme0",
        f"{place}/nvme/nvme0",
        model="X",
        serial="S",
        firmware_rev="1",
        transport="pcie",
        cntlid=3,
        state="live",
    )
    machine.plant({f"{place}/nvme/nvme0/nvme0n2/nsid": 2})
    item = storage_controller(machine.reader()).items["0000:01:00.0"]
    assert (item["kind"], item["model"], item["serial"]) == ("nvme", "X", "S")
    assert (item["cntlid"], item["namespaces"]) == (3, [2])


def test_a_controller_behind_a_fabric_is_known_by_its_subsystem(machine):
    nvme = machine.device("sys/class/nvme/nvme1", "sys/devices/virtual/nvme-fabrics/ctl/nvme1")
    machine.plant({f"{nvme}/subsysnqn": "nqn.x:y", f"{nvme}/transport": "tcp"})
    machine.plant({f"{nvme}/address": "traddr=192.0.2.1,trsvcid=4420"})
    section = storage_controller(machine.reader())
    assert list(section.items) == ["nqn.x:y"]
    assert "*" not in section.missing


def test_a_fibre_channel_port_is_told_with_its_world_wide_name(machine):
    place = machine.pci(SAS, class_="0x0c0400")
    port = {"port_name": "0x1000e0071bce95f2", "port_state": "Online", "speed": "16 Gbit"}
    machine.device("sys/class/fc_host/host0", f"{place}/host0/fc_host/host0", **port)
    item = storage_controller(machine.reader()).items[SAS]
    assert (item["kind"], item["wwpn"], item["state"]) == ("fc", "0x1000e0071bce95f2", "Online")


def test_functions_that_store_nothing_and_hosts_of_usb_sticks_are_left_out(machine):
    place = machine.pci("0000:00:14.0", class_="0x0c0330")
    machine.device("sys/class/scsi_host/host9", f"{place}/usb1/host9/scsi_host/host9")
    assert storage_controller(machine.reader()).missing == {"*": "absent"}


def test_iscsi_targets_and_enclosures_are_listed(machine):
    session = machine.device(
        "sys/class/iscsi_session/session1", "sys/devices/platform/host1/session1/x/session1"
    )
    machine.plant({f"{session}/targetname": "iqn.x", f"{session}/state": "LOGGED_IN"})
    machine.device("sys/class/enclosure/0:0:9:0", "sys/devices/x/enclosure/0:0:9:0", id="0x50")
    machine.plant({"sys/devices/x/enclosure/0:0:9:0/components": 12})
    items = storage_controller(machine.reader()).items
    assert items["iscsi iqn.x"]["state"] == "LOGGED_IN"
    assert items["enclosure 0x50"]["slots"] == 12
