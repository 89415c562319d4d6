"""The paths of a node that was told its brokers: one to each, as the node that it is."""

from msgspec.structs import replace

from roost_agent.config import PathConfig
from roost_agent.config_path import Fault, path_config
from roost_agent.enrolled import NODE_CERTIFICATE, NODE_KEY, ROOT, Enrolled


def enrolled_paths(enrolled: Enrolled, fault: Fault) -> tuple[PathConfig, ...]:
    """Return a WAN path to each broker of the identity; a broker's name is the path's."""
    folder, facts = enrolled.folder, enrolled.facts
    files = {
        "ca_file": str(folder / ROOT),
        "cert_file": str(folder / NODE_CERTIFICATE),
        "key_file": str(folder / NODE_KEY),
    }
    found = []
    for broker in facts.brokers:
        table = {"name": broker.name, "kind": "wan", "broker": broker.url}
        path = path_config(table | files, fault)
        if path is not None and path.tls is not None:
            name = f"{broker.name}.svc.{facts.fleet_domain}"
            found.append(replace(path, tls=replace(path.tls, server_name=name)))
    if not found:
        fault("brokers", "no broker to connect to: write [[path]] tables")
    return tuple(found)
