"""What a neighbour tells of itself beyond who it is: the optional elements of LLDP as fields.

IEEE 802.1AB-2016 8.5.5 to 8.5.9 (basic), IEEE 802.1Q-2018 annex D (VLANs), IEEE 802.3-2018
clause 79 (frame size), ANSI/TIA-1057 (LLDP-MED). What is not understood is left out.

Invariant: as ``lldp_frame``: never raises, never reads past an element.
"""

from collections.abc import Callable, Iterable
from typing import Final

from roost_agent.discovery.lldp_frame import Tlv, address, text
from roost_agent.discovery.section import Missing, Value
from roost_agent.discovery.sysfs import fitted

Fields = dict[str, Value | Missing]

VLANS_MAX: Final = 64  # told of one port; a frame has room for some 150
ADDRESSES_MAX: Final = 16  # for management
_PORT_DESCRIPTION, _SYSTEM_NAME, _SYSTEM_DESCRIPTION, _CAPABILITIES, _MANAGEMENT = range(4, 9)
_ORGANISATION: Final = 127  # 8.6: three bytes of OUI, one of subtype
_TEXTS: Final = {
    _PORT_DESCRIPTION: "port_description",
    _SYSTEM_NAME: "system_name",
    _SYSTEM_DESCRIPTION: "description",
}
_CAPABILITY_NAMES: Final = (  # table 8-4, from bit 0
    "other", "repeater", "bridge", "wlan-ap", "router", "telephone", "docsis", "station",
    "c-vlan", "s-vlan", "tpmr",
)  # fmt: skip
_8021: Final = b"\x00\x80\xc2"
_8023: Final = b"\x00\x12\x0f"
_MED: Final = b"\x00\x12\xbb"
_MED_TEXTS: Final = {  # TIA-1057 10.2.6
    5: "med_hardware", 6: "med_firmware", 7: "med_software", 8: "med_serial",
    9: "med_manufacturer", 10: "med_model", 11: "med_asset",
}  # fmt: skip
_MED_CLASSES: Final = {1: "endpoint1", 2: "endpoint2", 3: "endpoint3", 4: "network"}


def fields(tlvs: Iterable[Tlv]) -> Fields:
    """Return the fields that a neighbour's optional elements tell, and no others."""
    found: Fields = {}
    for tlv in tlvs:
        if name := _TEXTS.get(tlv.kind):
            found[name] = fitted(text(tlv.value))
        elif tlv.kind == _CAPABILITIES:
            _capabilities(found, tlv)
        elif tlv.kind == _MANAGEMENT:
            _management(found, tlv)
        elif tlv.kind == _ORGANISATION and len(tlv.value) > len(_8021):
            read = _BY_ORGANISATION.get(tlv.value[:3])
            if read is not None:
                read(found, tlv.value[3], Tlv(tlv.kind, tlv.value[4:]))
    return found


def _capabilities(found: Fields, tlv: Tlv) -> None:
    """Take what is enabled (8.5.8): what a box could be besides is of no use to anybody here."""
    enabled = tlv.number(2, 2)
    if enabled is not None:
        found["capabilities"] = [
            name for bit, name in enumerate(_CAPABILITY_NAMES) if enabled >> bit & 1
        ]


def _management(found: Fields, tlv: Tlv) -> None:
    """Add one address (8.5.9): the length of the address with its family, then the two."""
    size = tlv.number(0, 1) or 0
    told = address(tlv.value[1 : 1 + size])
    if told is not None:
        _add(found, "management_addresses", told, ADDRESSES_MAX)


def _of_8021(found: Fields, subtype: int, body: Tlv) -> None:
    if subtype == 1 and (pvid := body.number(0, 2)):  # D.2.1; 0: no VLAN of its own
        found["pvid"] = pvid
    elif subtype == 3 and (vlan := body.number(0, 2)) is not None:  # noqa: PLR2004 - D.2.3
        name = fitted(text(body.value[3 : 3 + (body.number(2, 1) or 0)]))
        _add(found, "vlans", f"{vlan} {name}" if isinstance(name, str) else str(vlan), VLANS_MAX)
    elif subtype == 7:  # noqa: PLR2004 - D.2.7
        _aggregation(found, body)


def _of_8023(found: Fields, subtype: int, body: Tlv) -> None:
    if subtype == 4 and (size := body.number(0, 2)) is not None:  # noqa: PLR2004 - 79.3.4
        found["frame_bytes_max"] = size
    elif subtype == 3:  # noqa: PLR2004 - 79.3.3, from before it was 802.1's
        _aggregation(found, body)


def _aggregation(found: Fields, body: Tlv) -> None:
    status = body.number(0, 1)
    if status is not None:
        found["aggregated"] = bool(status & 2)  # bit 0: it could be


def _of_med(found: Fields, subtype: int, body: Tlv) -> None:
    if subtype == 1 and (number := body.number(2, 1)) is not None:  # 10.2.2
        found["med_class"] = _MED_CLASSES.get(number, f"type{number}")
    elif name := _MED_TEXTS.get(subtype):
        found[name] = fitted(text(body.value))


_BY_ORGANISATION: Final[dict[bytes, Callable[[Fields, int, Tlv], None]]] = {
    _8021: _of_8021,
    _8023: _of_8023,
    _MED: _of_med,
}


def _add(found: Fields, name: str, told: str, most: int) -> None:
    known = found.setdefault(name, [])
    if isinstance(known, list) and told not in known and len(known) < most:
        known.append(told)  # type: ignore[arg-type]  # a list of texts, as all that is put there
