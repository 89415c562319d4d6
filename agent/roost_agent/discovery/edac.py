"""Memory controllers with error correction, and what they say of each DIMM.

Both layouts of the kernel: one directory a DIMM (``dimm*``, ``rank*``), and the older
``csrow*/ch*`` (node_exporter #3722). The newer one wins where a controller shows both.
Error counts are metrics; sizes and serials of DIMMs come from DMI.

Invariant: the id is ``mcN`` for a controller and ``mcN/dimmM`` or ``mcN/csrowM/chK`` for a DIMM.
"""

import re
from typing import Final

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import NO_MODULE, Section
from roost_agent.discovery.sysfs import attribute, entries, explained, scaled

EDAC: Final = "sys/devices/system/edac/mc"
MIB: Final = 1 << 20

_CONTROLLER: Final = re.compile(r"mc[0-9]+")
_DIMM: Final = re.compile(r"(?:dimm|rank)[0-9]+")
_CSROW: Final = re.compile(r"csrow[0-9]+")
_CHANNEL_LABEL: Final = re.compile(r"(ch[0-9]+)_dimm_label")


def edac(reader: Reader) -> Section:
    """Return controllers and DIMMs; empty when no EDAC driver is loaded."""
    section = Section()
    for controller in entries(reader, EDAC):
        if not _CONTROLLER.fullmatch(controller):
            continue
        base = f"{EDAC}/{controller}"
        section.put(controller, "label", attribute(reader, f"{base}/mc_name"))
        section.put(controller, "size_bytes", scaled(reader.count(f"{base}/size_mb"), MIB))
        names = entries(reader, base)
        dimms = [name for name in names if _DIMM.fullmatch(name)]
        for dimm in dimms:
            _put_dimm(section, reader, controller, dimm)
        for row in () if dimms else filter(_CSROW.fullmatch, names):
            _put_row(section, reader, controller, row)
    return explained(section, NO_MODULE)


def _put_dimm(section: Section, reader: Reader, controller: str, dimm: str) -> None:
    base = f"{EDAC}/{controller}/{dimm}"
    section.put_all(
        f"{controller}/{dimm}",
        {
            "label": attribute(reader, f"{base}/dimm_label"),
            "location": attribute(reader, f"{base}/dimm_location"),
            "mem_type": attribute(reader, f"{base}/dimm_mem_type"),
            "mode": attribute(reader, f"{base}/dimm_edac_mode"),
            "size_bytes": scaled(reader.count(f"{base}/size"), MIB),
        },
    )


def _put_row(section: Section, reader: Reader, controller: str, row: str) -> None:
    """Put each channel of a chip-select row; type and mode are the row's."""
    base = f"{EDAC}/{controller}/{row}"
    mem_type, mode = attribute(reader, f"{base}/mem_type"), attribute(reader, f"{base}/edac_mode")
    for name in entries(reader, base):
        if match := _CHANNEL_LABEL.fullmatch(name):
            section.put_all(
                f"{controller}/{row}/{match[1]}",
                {
                    "label": attribute(reader, f"{base}/{name}"),
                    "location": f"{row} {match[1]}",
                    "mem_type": mem_type,
                    "mode": mode,
                },
            )
