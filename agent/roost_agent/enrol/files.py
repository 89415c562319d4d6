"""The files of an identity beside its keys: what of the answer goes into them."""

import msgspec

from roost_agent.enrolled import (
    BROKER_CERTIFICATE,
    CONFIGURATION,
    FACTS,
    LAN_CA,
    LAN_CERTIFICATE,
    NODE_CERTIFICATE,
    REPORT_KEY,
    ROOT,
    Facts,
)
from roost_agent.orders import order_keys
from roost_protocol.enrol import Issued


def node_files(issued: Issued, facts: Facts, root: str) -> dict[str, bytes]:
    """Return what each generation has anew; the facts are last, they say that all is there."""
    return {
        NODE_CERTIFICATE: (issued.certificate + issued.chain).encode(),
        ROOT: root.encode(),
        REPORT_KEY: issued.report_key,
        **order_keys.file_of(issued.order_keys),
        **order_keys.vouches_of(issued.order_vouches),
        **({CONFIGURATION: issued.configuration} if issued.configuration else {}),
        FACTS: msgspec.json.format(msgspec.json.encode(facts), indent=1),
    }


def box_files(issued: Issued) -> dict[str, bytes]:
    """Return what is the box's and stays over renewals, where the answer has any of it.

    It has certificates when a box joins, and each time the LAN CAs that are live by then.
    """
    files = {}
    if issued.lan_ca:
        files[LAN_CA] = issued.lan_ca.encode()
    if issued.lan_certificate:
        files[LAN_CERTIFICATE] = issued.lan_certificate.encode()
    if issued.broker_certificate:
        files[BROKER_CERTIFICATE] = issued.broker_certificate.encode()
    return files
