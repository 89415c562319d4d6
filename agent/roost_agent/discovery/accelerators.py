"""Accelerators by PCI class and id: crypto, compression, vRAN, DSA, NPU; and crypto offload.

GPUs and FPGAs are listed with their kind; ``gpu`` and ``fpga`` tell more of them.

Invariant: the id is the PCI address; an algorithm that hardware computes for the kernel is
``crypto:`` and its driver's name.
"""

import re
import socket
from typing import Final

from roost_agent.discovery.fpga import is_fpga
from roost_agent.discovery.gpu import is_gpu
from roost_agent.discovery.pci_names import PciNames
from roost_agent.discovery.reader import Reader, reason_of
from roost_agent.discovery.section import ABSENT, UNSUPPORTED, Missing, Section
from roost_agent.discovery.sysfs import (
    PCI_DEVICES,
    attribute,
    clean,
    devices,
    entries,
    explained,
    first,
    fitted,
    hex_id,
    known,
    pci_address,
    resolve,
    target_name,
    unique,
)

DSA_DEVICES: Final = "sys/bus/dsa/devices"
CRYPTO_BYTES_MAX: Final = 1 << 20  # proc/crypto with every module loaded has 200 KiB

# By vendor and device. The VF of a QAT device has its id plus one.
QAT: Final = ("0435", "37c8", "19e2", "18ee", "4940", "4942", "4944", "4946")
KNOWN: Final = {
    "8086:0b25": ("dsa", "Intel Data Streaming Accelerator"),
    "8086:0cfe": ("iaa", "Intel In-Memory Analytics Accelerator"),
    "8086:0d5c": ("vran", "Intel ACC100"),
    "8086:0d5d": ("vran", "Intel ACC100 VF"),
    "8086:0d8f": ("vran", "Intel FPGA PAC N3000 FEC"),
    "8086:0d90": ("vran", "Intel FPGA PAC N3000 FEC VF"),
    "8086:57c0": ("vran", "Intel ACC200"),
    "8086:57c1": ("vran", "Intel ACC200 VF"),
    **{f"8086:{device}": ("crypto", "Intel QuickAssist") for device in QAT},
    **{f"8086:{int(device, 16) + 1:04x}": ("crypto", "Intel QuickAssist VF") for device in QAT},
}
CLASSES: Final = {
    "0b40": "crypto",
    "1000": "crypto",
    "1080": "crypto",
    "1180": "dsp",
    "1200": "npu",
}
# Modules that hand the work to a device. AES-NI and the like are the CPU itself.
OFFLOAD_MODULES: Final = (
    "caam",
    "ccp",
    "ccree",
    "chcr",
    "crypto_safexcel",
    "hisi_",
    "iaa_crypto",
    "intel_qat",
    "octeontx",
    "otx",
    "qat_",
    "qcrypto",
    "sa2ul",
    "sahara",
    "stm32",
    "virtio_crypto",
)
AF_ALG_TYPES: Final = {
    "skcipher": "skcipher",
    "aead": "aead",
    "ahash": "hash",
    "shash": "hash",
    "rng": "rng",
}

_NUMBER: Final = re.compile("[0-9]{1,9}")


def accelerator(reader: Reader) -> Section:
    """Return accelerator cards and engines, then what the kernel has them compute."""
    section = Section()
    names = PciNames(reader)
    states = _dsa_states(reader)
    for address in devices(reader, PCI_DEVICES, section):
        base = resolve(reader, f"{PCI_DEVICES}/{address}")
        found = classify(reader, base)
        if found is not None:
            kind, product = found
            ids = hex_id(reader, f"{base}/vendor"), hex_id(reader, f"{base}/device")
            section.put_all(
                clean(address),
                {
                    "kind": kind,
                    "product": product or names.device(*ids),
                    "driver": target_name(reader, f"{base}/driver"),
                    "state": first(
                        attribute(reader, f"{base}/qat/state"),
                        states.get(address, Missing(ABSENT)),
                    ),
                    "services": attribute(reader, f"{base}/qat/cfg_services"),
                },
            )
    _put_algorithms(section, reader)
    return explained(section)


def classify(reader: Reader, base: str) -> tuple[str, str] | None:
    """Return kind and, where the table knows it, product of a PCI function."""
    vendor = known(hex_id(reader, f"{base}/vendor")) or ""
    device = known(hex_id(reader, f"{base}/device")) or ""
    class_id = known(hex_id(reader, f"{base}/class", 6)) or ""
    if found := KNOWN.get(f"{vendor}:{device}"):
        return found
    if is_gpu(vendor, class_id):
        return "gpu", ""
    if is_fpga(reader, base):
        return "fpga", ""
    kind = CLASSES.get(class_id[:4])
    return (kind, "") if kind else None


def _dsa_states(reader: Reader) -> dict[str, str | Missing]:
    """Return the state of each DSA or IAA engine by PCI address."""
    states: dict[str, str | Missing] = {}
    for name in entries(reader, DSA_DEVICES):
        base = resolve(reader, f"{DSA_DEVICES}/{name}")
        address = pci_address(base)
        if name.startswith(("dsa", "iax")) and isinstance(address, str):
            states[address] = attribute(reader, f"{base}/state")
    return states


def _put_algorithms(section: Section, reader: Reader) -> None:
    """Put the kernel's algorithms that a device computes; software ones come and go with use."""
    crypto = reader.text("proc/crypto", CRYPTO_BYTES_MAX)
    for paragraph in crypto.split("\n\n") if isinstance(crypto, str) else ():
        lines = (line.partition(":") for line in paragraph.splitlines())
        fields = {key.strip(): value.strip() for key, _, value in lines}
        if not fields.get("module", "").startswith(OFFLOAD_MODULES):
            continue
        priority = fields.get("priority", "")
        item = unique(section, f"crypto:{fields.get('driver', '')}")
        section.put_all(
            item,
            {
                "kind": "algorithm",
                "name": fitted(fields.get("name", "")),
                "driver": fitted(fields.get("driver", "")),
                "priority": int(priority) if _NUMBER.fullmatch(priority) else Missing(UNSUPPORTED),
                "module": fitted(fields["module"]),
                "hw_offload": True,
                "usable": _usable(fields) if reader.is_live else Missing(UNSUPPORTED),
            },
        )


def _usable(fields: dict[str, str]) -> bool | Missing:
    """Return whether the kernel hands the algorithm out: an AF_ALG socket binds to it."""
    family = AF_ALG_TYPES.get(fields.get("type", ""))
    if family is None or fields.get("internal") == "yes":
        return Missing(UNSUPPORTED)
    try:
        with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC) as probe:
            probe.bind((family, fields.get("driver", "")))
    except FileNotFoundError:
        return False
    except OSError as err:
        return Missing(reason_of(err))
    return True
