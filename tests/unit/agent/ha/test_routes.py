"""Default routes, as the kernel writes them."""

import sys
from ipaddress import ip_address

from roost_agent.ha.routes import default_gateways

FOUR = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t{gateway}\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t00000000\t{gateway}\t0003\t0\t0\t200\t00000000\t0\t0\t0
ppp0\t00000000\t00000000\t0001\t0\t0\t300\t00000000\t0\t0\t0
eth1\t00000000\t{gateway}\t0003\t0\t0\t0\t00000080\t0\t0\t0
eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\tbroken
"""
NOBODY = "0" * 32
SIX = f"""fe80{"0" * 28} 40 {NOBODY} 00 {NOBODY} 00000100 00000001 00000000 00000001     eth0
{NOBODY} 00 {NOBODY} 00 fe80{"0" * 27}1 00000400 00000001 00000000 00450003     eth1
{NOBODY} 00 {NOBODY} 00 {NOBODY} ffffffff 00000001 00000000 00200200       lo
zz
"""


def test_gateways_of_default_routes_are_found_once_and_no_others(tmp_path):
    folder = tmp_path / "proc/net"
    folder.mkdir(parents=True)
    raw = int.from_bytes(ip_address("10.0.0.254").packed, sys.byteorder)
    (folder / "route").write_text(FOUR.format(gateway=f"{raw:08X}"))
    (folder / "ipv6_route").write_text(SIX)
    assert default_gateways(str(tmp_path)) == [
        ("eth0", ip_address("10.0.0.254")),
        ("eth1", ip_address("fe80::1")),
    ]


def test_a_machine_without_routes_has_none(tmp_path):
    assert default_gateways(str(tmp_path)) == []
