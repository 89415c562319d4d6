import pytest

from roost_agent.discovery.accelerators import accelerator

ADDRESS = "0000:6b:00.0"


@pytest.mark.parametrize(
    ("ids", "kind", "product"),
    [
        ("0x8086 0x4940 0x0b4000", "crypto", "Intel QuickAssist"),
        ("0x8086 0x4941 0x0b4000", "crypto", "Intel QuickAssist VF"),
        ("0x8086 0x0d5c 0x120001", "vran", "Intel ACC100"),
        ("0x8086 0x0b25 0x088000", "dsa", "Intel Data Streaming Accelerator"),
        ("0x1bcf 0x001c 0x0b4000", "crypto", None),
        ("0x1da3 0x1020 0x120000", "npu", None),
        ("0x10de 0x20b5 0x030200", "gpu", None),
        ("0x1002 0x74a1 0x120000", "gpu", None),
        ("0x10ee 0x5005 0x120000", "fpga", None),
    ],
)
def test_an_accelerator_is_told_by_its_ids_and_else_by_its_class(machine, ids, kind, product):
    vendor, device, class_id = ids.split()
    machine.pci(ADDRESS, vendor=vendor, device=device, class_=class_id)
    item = accelerator(machine.reader()).items[ADDRESS]
    assert (item["kind"], item["product"]) == (kind, product)


def test_quickassist_tells_its_state_and_services(machine):
    place = machine.pci(ADDRESS, device="0x4940", class_="0x0b4000")
    machine.plant({f"{place}/qat/state": "up", f"{place}/qat/cfg_services": "sym;asym"})
    item = accelerator(machine.driver(place, "4xxx").reader()).items[ADDRESS]
    assert (item["state"], item["services"], item["driver"]) == ("up", "sym;asym", "4xxx")


def test_the_state_of_a_streaming_engine_is_that_of_its_dsa_device(machine):
    place = machine.pci(ADDRESS, device="0x0b25", class_="0x088000")
    machine.device("sys/bus/dsa/devices/dsa0", f"{place}/dsa0", state="enabled")
    assert accelerator(machine.reader()).items[ADDRESS]["state"] == "enabled"


@pytest.mark.parametrize(
    ("vendor", "class_id"),
    [("0x8086", "0x020000"), ("0x1a03", "0x030000"), ("0x102b", "0x030000")],
)
def test_a_network_card_and_the_console_of_a_board_controller_are_none(machine, vendor, class_id):
    machine.pci(ADDRESS, vendor=vendor, class_=class_id)
    assert accelerator(machine.reader()).items == {}


CRYPTO = """name         : cbc(aes)
driver       : qat_aes_cbc
module       : intel_qat
priority     : 4001
type         : skcipher

name         : cbc(aes)
driver       : cbc-aes-aesni
module       : aesni_intel
priority     : 400
type         : skcipher

name         : \x1b[2J
driver       : qat_bad
module       : intel_qat
priority     : -1"""


def test_only_algorithms_that_a_device_computes_are_listed(machine):
    section = accelerator(machine.plant({"proc/crypto": CRYPTO}).reader())
    assert list(section.items) == ["crypto:qat_aes_cbc", "crypto:qat_bad"]
    assert section.items["crypto:qat_aes_cbc"] == {
        "kind": "algorithm",
        "name": "cbc(aes)",
        "driver": "qat_aes_cbc",
        "priority": 4001,
        "module": "intel_qat",
        "hw_offload": True,
        "usable": None,
    }
    assert section.items["crypto:qat_bad"]["name"] == "\ufffd[2J"
    assert section.items["crypto:qat_bad"]["priority"] is None
