import sys
from types import ModuleType, SimpleNamespace

import pytest

from roost_agent.discovery.gpu import NVML_FIELDS, gpu, nvml
from roost_agent.discovery.section import Missing

ADDRESS = "0000:17:00.0"


def test_an_amd_card_is_known_by_its_unique_id(machine):
    place = machine.pci(
        ADDRESS,
        vendor="0x1002",
        device="0x740f",
        class_="0x038000",
        unique_id="2a9f1bcc",
        mem_info_vram_total=68_702_699_520,
        vbios_version="113-D67301-063",
        current_link_speed="16.0 GT/s PCIe",
        current_link_width=16,
    )
    machine.driver(place, "amdgpu").plant({"sys/module/amdgpu/version": "6.3.6"})
    item = gpu(machine.reader()).items["2a9f1bcc"]
    assert (item["pci"], item["driver"], item["driver_version"]) == (ADDRESS, "amdgpu", "6.3.6")
    assert (item["memory_bytes"], item["vbios"]) == (68_702_699_520, "113-D67301-063")
    assert (item["link_cur_speed_mts"], item["link_cur_width"]) == (16_000, 16)


def nvidia(machine, uuid="GPU-1a2b"):
    machine.pci(ADDRESS, vendor="0x10de", device="0x20b5", class_="0x030200")
    return machine.plant(
        {
            f"proc/driver/nvidia/gpus/{ADDRESS}/information": "Model: \t NVIDIA A100\n"
            f"GPU UUID: \t {uuid}\nVideo BIOS: \t 92.00.68.00.01\nmalformed",
            "proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  "
            "535.104.05  Sat Aug 19\nGCC version: 12",
        }
    )


def test_an_nvidia_card_is_read_from_its_drivers_files(machine):
    section = gpu(nvidia(machine).reader())
    item = section.items["GPU-1a2b"]
    assert (item["model"], item["vbios"]) == ("NVIDIA A100", "92.00.68.00.01")
    assert item["driver_version"] == "535.104.05"
    assert section.missing["GPU-1a2b.memory_bytes"] == "absent"


def test_a_uuid_that_is_not_known_yet_is_no_identity(machine):
    section = gpu(nvidia(machine, "GPU-????????-????").reader())
    assert list(section.items) == [ADDRESS]


@pytest.mark.parametrize("vendor", ["0x1a03", "0x102b", "0x1234", "0x1af4"])
def test_a_console_is_no_gpu(machine, vendor):
    machine.pci(ADDRESS, vendor=vendor, class_="0x030000")
    assert gpu(machine.reader()).missing == {"*": "absent"}


def test_without_the_bindings_of_nvml_its_fields_are_unsupported(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)  # an import of it fails
    assert nvml(ADDRESS) == dict.fromkeys(NVML_FIELDS, Missing("unsupported"))


def test_a_question_that_nvml_refuses_costs_its_field_alone(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", bindings())
    assert nvml(ADDRESS) == {
        "serial": "1324",
        "memory_bytes": 40 << 30,
        "power_limit_mw": 250_000,
        "ecc_enabled": True,
        "mig": Missing("unsupported"),
        "retired_pages": 3,
    }


def bindings():
    """Stand in for the vendor's library, which needs its card: one question is refused."""
    library = ModuleType("pynvml")

    class NVMLError(Exception):
        pass

    def refuse(_card):
        raise NVMLError

    vars(library).update(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetHandleByPciBusId=lambda address: address,
        nvmlDeviceGetSerial=lambda _card: b"1324",
        nvmlDeviceGetMemoryInfo=lambda _card: SimpleNamespace(total=40 << 30),
        nvmlDeviceGetPowerManagementLimit=lambda _card: 250_000,
        nvmlDeviceGetEccMode=lambda _card: (1, 1),
        nvmlDeviceGetMigMode=refuse,
        nvmlDeviceGetRetiredPages=lambda _card, cause: [0] * (cause + 1),
    )
    return library
