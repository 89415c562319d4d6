"""What a network driver tells through the ethtool ioctl: firmware, rings, offloads, time stamps.

Each question is one SIOCETHTOOL call with one structure of linux/ethtool.h; a driver that refuses
one is Missing for those fields alone (``lo`` refuses them all). Only reading commands are here,
and all but wake-on-LAN are open to any user.
"""

import array
import fcntl
import os
import socket
import struct
import sys
from types import TracebackType
from typing import Final, Self

from roost_agent.discovery.reader import reason_of
from roost_agent.discovery.section import ABSENT, UNSUPPORTED, Missing, Value
from roost_agent.discovery.sysfs import fitted

SIOCETHTOOL: Final = 0x8946
IFNAMSIZ: Final = 16  # with its NUL
GDRVINFO: Final = 0x03
GWOL: Final = 0x05
GRINGPARAM: Final = 0x10
GSTRINGS: Final = 0x1B
GPERMADDR: Final = 0x20
GSSET_INFO: Final = 0x37
GFEATURES: Final = 0x3A
GCHANNELS: Final = 0x3C
GET_TS_INFO: Final = 0x41
GLINKSETTINGS: Final = 0x4C
GFECPARAM: Final = 0x50

SS_FEATURES: Final = 4
GSTRING_BYTES: Final = 32
FEATURES_MAX: Final = 256  # Linux 6.12 has 67
MAC_BYTES_MAX: Final = 32
LINK_MODE_WORDS_MAX: Final = 127  # an s8 counts them, three bitmaps follow

# Megabits a second and bits of linux/ethtool.h that offer it; newer modes are unknown here.
LINK_MODES: Final = {
    10: (0, 1),
    100: (2, 3),
    1_000: (4, 5, 17, 41),
    2_500: (15, 47),
    5_000: (48,),
    10_000: (12, 18, 19, 20, 42, 43, 44, 45, 46),
    25_000: (31, 32, 33),
    40_000: (23, 24, 25, 26),
    50_000: (34, 35, 40),
    100_000: (36, 37, 38, 39),
}
PORTS: Final = {0: "tp", 1: "aui", 2: "mii", 3: "fibre", 4: "bnc", 5: "da", 0xEF: "none"}
WOL: Final = ("phy", "unicast", "multicast", "broadcast", "arp", "magic", "secureon", "filter")
FEC: Final = ("none", "auto", "off", "rs", "baser", "llrs")
TIMESTAMPS: Final = (
    "tx-hardware",
    "tx-software",
    "rx-hardware",
    "rx-software",
    "software",
    "sys-hardware",
    "raw-hardware",
)

FIELDS: Final = (
    "driver_version",
    "firmware",
    "port",
    "autoneg",
    "rings_rx_max",
    "rings_tx_max",
    "rings_rx",
    "rings_tx",
    "channels_max",
    "channels",
    "timestamping",
    "phc",
    "fec",
    "wol",
    "offloads",
)

Fields = dict[str, Value | Missing]


class Ethtool:
    """One socket for the questions about many interfaces; a context manager."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def fields(self, ifname: str) -> Fields:
        """Return every field that the driver of one interface can fill."""
        return {
            **self._driver(ifname),
            **self._link(ifname),
            **self._sizes(ifname),
            **self._time(ifname),
            "fec": self._bits(ifname, GFECPARAM, FEC),
            "wol": self._bits(ifname, GWOL, WOL, at=8),
            "offloads": self._offloads(ifname),
        }

    def mac(self, ifname: str) -> str | Missing:
        """Return the burnt-in address; all zero means that there is none."""
        answer = self._ask(ifname, GPERMADDR, 8 + MAC_BYTES_MAX, struct.pack("=I", MAC_BYTES_MAX))
        if isinstance(answer, Missing):
            return answer
        size = min(struct.unpack_from("=I", answer, 4)[0], MAC_BYTES_MAX)
        mac = answer[8 : 8 + size]
        return mac.hex(":") if any(mac) else Missing(ABSENT)

    def _driver(self, ifname: str) -> Fields:
        answer = self._ask(ifname, GDRVINFO, 196)
        if isinstance(answer, Missing):
            return dict.fromkeys(("driver_version", "firmware"), answer)
        _driver, version, firmware = struct.unpack_from("32s32s32s", answer, 4)
        return {"driver_version": _c_string(version), "firmware": _c_string(firmware)}

    def _link(self, ifname: str) -> Fields:
        """Return the port and whether it negotiates."""
        answer = self._settings(ifname)
        if isinstance(answer, Missing):
            return dict.fromkeys(("port", "autoneg"), answer)
        port, _phy, autoneg = struct.unpack_from("BBB", answer, 9)
        return {"port": PORTS.get(port, "other"), "autoneg": autoneg == 1}

    def able_mbits(self, ifname: str) -> int | Missing:
        """Return the highest speed that this end and the far end both offer.

        Without the far end's word, or with modes this table does not know, it is Missing.
        """
        answer = self._settings(ifname)
        if isinstance(answer, Missing):
            return answer
        size = 4 * abs(struct.unpack_from("b", answer, 15)[0])
        ours, _, theirs = (
            int.from_bytes(answer[start : start + size], sys.byteorder)
            for start in range(48, 48 + 3 * size, size)
        )
        both = ours & theirs
        speeds = [speed for speed, modes in LINK_MODES.items() for bit in modes if both >> bit & 1]
        return max(speeds) if speeds else Missing(UNSUPPORTED)

    def _settings(self, ifname: str) -> bytes | Missing:
        """Return ETHTOOL_GLINKSETTINGS with its three bitmaps: supported, advertised, far end's.

        The first call asks with no room for bitmaps and gets their size back, negated.
        """
        size = 48 + 12 * LINK_MODE_WORDS_MAX
        words = self._ask(ifname, GLINKSETTINGS, size)
        if isinstance(words, Missing):
            return words
        negated = struct.unpack_from("b", words, 15)[0]
        return self._ask(ifname, GLINKSETTINGS, size, struct.pack("11xb", -negated))

    def _sizes(self, ifname: str) -> Fields:
        names = ("rings_rx_max", "rings_tx_max", "rings_rx", "rings_tx")
        rings = self._ask(ifname, GRINGPARAM, 36)
        fields: Fields = dict.fromkeys(names, rings) if isinstance(rings, Missing) else {}
        if isinstance(rings, bytes):
            _, rx_max, _, _, tx_max, rx, _, _, tx = struct.unpack("=9I", rings)
            fields = dict(zip(names, (rx_max, tx_max, rx, tx), strict=True))
        channels = self._ask(ifname, GCHANNELS, 36)
        if isinstance(channels, Missing):
            return fields | dict.fromkeys(("channels_max", "channels"), channels)
        _, rx_max, tx_max, _, combined_max, rx, tx, _, combined = struct.unpack("=9I", channels)
        fields["channels_max"] = combined_max + max(rx_max, tx_max)
        fields["channels"] = combined + max(rx, tx)
        return fields

    def _time(self, ifname: str) -> Fields:
        answer = self._ask(ifname, GET_TS_INFO, 44)
        if isinstance(answer, Missing):
            return dict.fromkeys(("timestamping", "phc"), answer)
        bits, phc = struct.unpack_from("=Ii", answer, 4)
        return {
            "timestamping": _names(bits, TIMESTAMPS),
            "phc": phc if phc >= 0 else Missing(ABSENT),
        }

    def _bits(
        self, ifname: str, command: int, names: tuple[str, ...], *, at: int = 4
    ) -> list[str] | Missing:
        answer = self._ask(ifname, command, 24)
        if isinstance(answer, Missing):
            return answer
        return _names(struct.unpack_from("=I", answer, at)[0], names)

    def _offloads(self, ifname: str) -> list[str] | Missing:
        """Return the names of the features that are on, as ``ethtool -k`` writes them."""
        count = self._feature_count(ifname)
        if isinstance(count, Missing):
            return count
        which = struct.pack("=II", SS_FEATURES, count)
        strings = self._ask(ifname, GSTRINGS, 12 + count * GSTRING_BYTES, which)
        blocks = (count + 31) // 32
        features = self._ask(ifname, GFEATURES, 8 + 16 * blocks, struct.pack("=I", blocks))
        if isinstance(strings, Missing) or isinstance(features, Missing):
            return strings if isinstance(strings, Missing) else Missing(UNSUPPORTED)
        active = struct.unpack_from("=" + "8xI4x" * blocks, features, 8)
        on = []
        for bit in range(count):
            name = _c_string(strings[12 + bit * GSTRING_BYTES :][:GSTRING_BYTES])
            if active[bit // 32] >> bit % 32 & 1 and isinstance(name, str):
                on.append(name)
        return sorted(on)

    def _feature_count(self, ifname: str) -> int | Missing:
        answer = self._ask(ifname, GSSET_INFO, 20, struct.pack("=4xQ", 1 << SS_FEATURES))
        if isinstance(answer, Missing):
            return answer
        count: int = struct.unpack_from("=I", answer, 16)[0]
        return count if 0 < count <= FEATURES_MAX else Missing(UNSUPPORTED)

    def _ask(self, ifname: str, command: int, size: int, arguments: bytes = b"") -> bytes | Missing:
        """Return the structure of ``size`` bytes that answers one command and its arguments."""
        name = os.fsencode(ifname)
        if len(name) >= IFNAMSIZ:  # cut, it could be the name of another interface
            return Missing(UNSUPPORTED)
        question = struct.pack("=I", command) + arguments
        buffer = array.array("B", question.ljust(size, b"\0"))
        request = struct.pack("16sP16x", name, buffer.buffer_info()[0])
        try:
            fcntl.ioctl(self._socket, SIOCETHTOOL, request)
        except OSError as err:
            return Missing(reason_of(err))
        return buffer.tobytes()


def _names(bits: int, names: tuple[str, ...]) -> list[str]:
    return [name for bit, name in enumerate(names) if bits >> bit & 1]


def _c_string(field: bytes) -> str | Missing:
    return fitted(field.partition(b"\0")[0].decode("ascii", "replace"))
