"""Identities as enrolment leaves them on boxes, with LAN certificates of a fleet's CA."""

import os
from functools import cache
from pathlib import Path

import msgspec
from ca import Pki

from roost_agent.discovery.reader import Reader
from roost_agent.enrol.box import hardware
from roost_agent.enrolled import (
    BROKER_CERTIFICATE,
    BROKER_KEY,
    FACTS,
    FOLDER,
    LAN_CA,
    LAN_CERTIFICATE,
    LAN_KEY,
    NODE_CERTIFICATE,
    NODE_KEY,
    REPORT_KEY,
    ROOT,
    Enrolled,
    Facts,
)
from roost_central.ca.profiles import Authority
from roost_protocol.certificate import Kind, node_holder
from roost_protocol.enrol import Broker
from roost_protocol.hardware import Hardware

YEAR_MS = 31_536_000_000


class Fleet:
    """One fleet: whoever asks is a box of it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.pki = Pki(folder)
        self.lan_ca = self.pki.issuer(Authority.LAN)[1]

    def enrol(
        self, state_dir: Path, site: str, node: str, box: int = 1, *, is_broker: bool = True
    ) -> Enrolled:
        """Write the identity of a box below a state directory; return it."""
        issued = {
            (NODE_CERTIFICATE, NODE_KEY): node_holder(Kind.NODE, site, node),
            (LAN_CERTIFICATE, LAN_KEY): node_holder(Kind.LAN, site, node, box),
        }
        if is_broker:
            issued[BROKER_CERTIFICATE, BROKER_KEY] = node_holder(Kind.BROKER, site, node, box)
        files = {
            ROOT: self.pki.root_file.read_bytes(),
            LAN_CA: self.lan_ca.encode(),
            REPORT_KEY: os.urandom(32),
        }
        for (certificate, key), holder in issued.items():
            made = self.pki.issue(holder)
            files |= {certificate: made.chain_file.read_bytes(), key: made.key_file.read_bytes()}
        facts = _facts(self.pki, site, node, box)
        files[FACTS] = msgspec.json.encode(facts)
        folder = state_dir / FOLDER
        folder.mkdir(mode=0o700, parents=True)
        for name, content in files.items():
            file = folder / name
            file.touch(0o600)
            file.write_bytes(content)
        return Enrolled(folder, facts)


@cache
def _machine() -> Hardware:
    """Return what this machine is made of: an agent looks whether it is still the same box."""
    reader = Reader()
    try:
        return hardware(reader)
    finally:
        reader.close()


def _facts(pki: Pki, site: str, node: str, box: int) -> Facts:
    now_ms = int(pki.moment().now.timestamp() * 1000)
    return Facts(
        fleet_domain=pki.domain,
        site=site,
        node=node,
        generation=box,
        box=box,
        hw_fp=_machine(),
        brokers=(Broker("b1", "mqtts://centre.invalid:8883"),),
        enrolled_ms=now_ms,
        not_after_ms=now_ms + YEAR_MS,
        image_root="none",
        centre="https://centre.invalid:8471",
    )
