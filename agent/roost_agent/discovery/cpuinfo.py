"""The processor blocks of /proc/cpuinfo, which every architecture writes with other keys."""

from dataclasses import dataclass
from typing import Final

from roost_agent.discovery.arm_parts import IMPLEMENTERS, PARTS
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, UNSUPPORTED, Missing, Value

CPUINFO_BYTES_MAX: Final = 16 << 20  # 8,192 threads at 2 KB each
_VENDOR_KEYS: Final = ("vendor_id", "mvendorid")
_NAME_KEYS: Final = ("model name", "Model Name", "cpu model", "cpu", "uarch", "Processor")
_FAMILY_KEYS: Final = ("cpu family", "CPU Family", "CPU architecture")
_FLAG_KEYS: Final = ("flags", "Features", "features", "isa")


@dataclass(frozen=True, slots=True)
class CpuInfo:
    """``blocks`` by logical CPU; keys of a block without a number hold for all (32-bit Arm)."""

    blocks: dict[int, dict[str, str]]

    def identity(self, cpus: list[int]) -> dict[str, Value | Missing]:
        """Return what the given CPUs, of one package, are; hybrid cores join their names."""
        block = self.blocks.get(cpus[0], {})
        arm = self._arm_identity(cpus)
        named = {
            "vendor": _first(block, _VENDOR_KEYS),
            "family": _number(_first(block, _FAMILY_KEYS)),
            "model": _number(_first(block, ("model",))),
            "stepping": _number(_first(block, ("stepping",))),
            "model_name": _first(block, _NAME_KEYS),
        }
        return {
            **named,
            **arm,
            "microcode": _first(block, ("microcode",)),
            "flags": _words(_first(block, _FLAG_KEYS)),
            "bugs": _words(_first(block, ("bugs",))),
        }

    def _arm_identity(self, cpus: list[int]) -> dict[str, Value | Missing]:
        """Return vendor, model, stepping and names from the implementer and part numbers."""
        parts: dict[tuple[int, int], dict[str, str]] = {}
        for cpu in cpus:
            block = self.blocks.get(cpu, {})
            implementer = _number(_first(block, ("CPU implementer",)))
            part = _number(_first(block, ("CPU part",)))
            if isinstance(implementer, int) and isinstance(part, int):
                parts.setdefault((implementer, part), block)
        if not parts:
            return {}
        (implementer, part), block = next(iter(parts.items()))
        return {
            "vendor": IMPLEMENTERS.get(implementer, f"{implementer:#x}"),
            "model": part,
            "variant": _number(_first(block, ("CPU variant",))),
            "stepping": _number(_first(block, ("CPU revision",))),
            "model_name": " + ".join(PARTS.get(key, f"part {key[1]:#x}") for key in parts),
        }


def read_cpuinfo(reader: Reader) -> CpuInfo | Missing:
    """Return the blocks of /proc/cpuinfo; lines that do not look like one are skipped."""
    text = reader.text("proc/cpuinfo", CPUINFO_BYTES_MAX)
    if isinstance(text, Missing):
        return text
    blocks: dict[int, dict[str, str]] = {}
    machine: dict[str, str] = {}
    for paragraph in text.split("\n\n"):
        block = {}
        for line in paragraph.splitlines():
            key, colon, value = line.partition(":")
            if colon:
                block[key.strip()] = value.strip()
        number = _number(block.pop("processor", ABSENT))
        if isinstance(number, int):
            blocks[number] = block
        else:
            machine.update(block)
    return CpuInfo({number: machine | block for number, block in blocks.items()})


def _first(block: dict[str, str], keys: tuple[str, ...]) -> str | Missing:
    return next((block[key] for key in keys if block.get(key)), Missing(ABSENT))


def _words(text: str | Missing) -> list[str] | Missing:
    return text if isinstance(text, Missing) else text.split()


def _number(text: str | Missing) -> int | Missing:
    if isinstance(text, Missing):
        return text
    try:
        return int(text, 16 if text[:2] in {"0x", "0X"} else 10)
    except ValueError:
        return Missing(UNSUPPORTED)
