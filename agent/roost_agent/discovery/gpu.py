"""Graphics and compute cards: drm and the NVIDIA driver's own files, NVML where it is installed.

NVML (the ``pynvml`` package) is asked only on the live machine, for an NVIDIA card whose driver is
loaded. Use, power and temperature are metrics.

Invariant: the id is the card's uuid or unique id, else its PCI address; each missing fact is null
with its reason and never fails the card.
"""

import importlib
import re
from collections.abc import Callable
from typing import Any, Final

from roost_agent.discovery.pci import link_fields
from roost_agent.discovery.pci_names import PciNames
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, IO_ERROR, UNSUPPORTED, Missing, Section, Value
from roost_agent.discovery.sysfs import (
    PCI_DEVICES,
    attribute,
    clean,
    devices,
    explained,
    fitted,
    hex_id,
    known,
    resolve,
    target_name,
    unique,
)

NVIDIA: Final = "10de"
NVIDIA_GPUS: Final = "proc/driver/nvidia/gpus"
NVIDIA_INFO_BYTES_MAX: Final = 4096
DISPLAY: Final = "03"
PROCESSING: Final = "1200"
MAKERS_OF_1200: Final = ("1002", NVIDIA)  # AMD Instinct, some NVIDIA modules
# Displays of a board controller or a virtual machine: a console, not a GPU.
CONSOLES: Final = ("1a03", "102b", "1013", "1234", "1af4", "1b36", "15ad", "80ee")
NVML_FIELDS: Final = (
    "serial",
    "memory_bytes",
    "power_limit_mw",
    "ecc_enabled",
    "mig",
    "retired_pages",
)
RETIREMENT_CAUSES: Final = (0, 1)  # several single-bit errors, one double-bit error

_DRIVER_VERSION: Final = re.compile(r"Kernel Module.*?  ([0-9][0-9.]*)")

Fields = dict[str, Value | Missing]
Question = Callable[[], Value | Missing]


def is_gpu(vendor: str, class_id: str) -> bool:
    """Whether a PCI function draws or computes as a GPU."""
    if class_id.startswith(DISPLAY):
        return vendor not in CONSOLES
    return class_id.startswith(PROCESSING) and vendor in MAKERS_OF_1200


def gpu(reader: Reader) -> Section:
    """Return every GPU."""
    section = Section()
    names = PciNames(reader)
    for address in devices(reader, PCI_DEVICES, section):
        base = resolve(reader, f"{PCI_DEVICES}/{address}")
        vendor = hex_id(reader, f"{base}/vendor")
        class_id = known(hex_id(reader, f"{base}/class", 6)) or ""
        if not is_gpu(known(vendor) or "", class_id):
            continue
        told = _nvidia(reader, address) if vendor == NVIDIA else _drm(reader, base)
        model = names.device(vendor, hex_id(reader, f"{base}/device"))
        uuid = known(told.pop("uuid"))
        item = unique(section, uuid if isinstance(uuid, str) else address)
        section.put_all(
            item,
            {
                "pci": clean(address),
                "vendor": names.vendor(vendor),
                "model": model,
                "driver": target_name(reader, f"{base}/driver"),
                **link_fields(reader, base),
                **told,
            },
        )
        if section.items[item]["model"] is None:
            section.put(item, "model", model)
    return explained(section)


def _drm(reader: Reader, base: str) -> Fields:
    """Return what amdgpu and i915 show beside the ids."""
    driver = known(target_name(reader, f"{base}/driver")) or ""
    return {
        "uuid": attribute(reader, f"{base}/unique_id"),
        "serial": attribute(reader, f"{base}/serial_number"),
        "vbios": attribute(reader, f"{base}/vbios_version"),
        "driver_version": attribute(reader, f"sys/module/{driver}/version")
        if driver
        else Missing(ABSENT),
        "memory_bytes": reader.count(f"{base}/mem_info_vram_total"),
    }


def _nvidia(reader: Reader, address: str) -> Fields:
    """Return what NVIDIA's driver tells in ``proc``, and NVML on top."""
    lines = reader.text(f"{NVIDIA_GPUS}/{address}/information", NVIDIA_INFO_BYTES_MAX)
    parts = lines.splitlines() if isinstance(lines, str) else []
    info = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in parts)}
    version = reader.text("proc/driver/nvidia/version", NVIDIA_INFO_BYTES_MAX)
    match = _DRIVER_VERSION.search(version) if isinstance(version, str) else None
    uuid = info.get("GPU UUID", "")
    fields: Fields = {
        "uuid": Missing(ABSENT) if "?" in uuid else fitted(uuid),  # unknown until first use
        "vbios": fitted(info.get("Video BIOS", "")),
        "driver_version": match[1] if match else Missing(ABSENT),
    }
    if "Model" in info:
        fields["model"] = fitted(info["Model"])
    if not reader.is_live or not reader.exists("dev/nvidiactl"):
        return fields | dict.fromkeys(NVML_FIELDS, Missing(ABSENT))
    return fields | nvml(address)


def nvml(address: str) -> Fields:
    """Return what NVML alone knows of the card at a PCI address."""
    try:
        library: Any = importlib.import_module("pynvml")
    except ImportError:
        return dict.fromkeys(NVML_FIELDS, Missing(UNSUPPORTED))
    try:
        library.nvmlInit()
        card = library.nvmlDeviceGetHandleByPciBusId(address.encode())
    except library.NVMLError:
        return dict.fromkeys(NVML_FIELDS, Missing(IO_ERROR))
    questions: dict[str, Question] = {
        "serial": lambda: fitted(_text(library.nvmlDeviceGetSerial(card))),
        "memory_bytes": lambda: int(library.nvmlDeviceGetMemoryInfo(card).total),
        "power_limit_mw": lambda: int(library.nvmlDeviceGetPowerManagementLimit(card)),
        "ecc_enabled": lambda: bool(library.nvmlDeviceGetEccMode(card)[0]),
        "mig": lambda: bool(library.nvmlDeviceGetMigMode(card)[0]),
        "retired_pages": lambda: sum(
            len(library.nvmlDeviceGetRetiredPages(card, cause)) for cause in RETIREMENT_CAUSES
        ),
    }
    answers: Fields = {}
    for field, ask in questions.items():
        try:
            answers[field] = ask()
        except library.NVMLError:
            answers[field] = Missing(UNSUPPORTED)
    library.nvmlShutdown()
    return answers


def _text(text: str | bytes) -> str:
    """Return a string of NVML: its older bindings give bytes."""
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text
