"""What ``roost-central check-config`` says: what a configuration makes the centre do, and warnings.

Reads the files that are named, and opens nothing else.
"""

from collections.abc import Iterator

from roost_central.alarms.catalogue_file import load as load_types
from roost_central.config import CentralConfig
from roost_central.witness.keys import read_folder


def summary(config: CentralConfig) -> str:
    """Return it, a line each.

    Raises:
        ConfigFaultsError: of what is named a file is wrong.
    """
    config.http.tls_context()
    lines = [
        f"data_dir  {config.data_dir}",
        f"database  {config.database_url.rpartition('@')[2]}",
        f"http      {config.http.host}:{config.http.port}{_tls(config)}",
        *_brokers(config),
        *_fleet(config),
        *_enrolment(config),
        *([] if config.oidc is None else [f"oidc      {config.oidc.issuer} logs operators in"]),
        *_witness(config),
        f"types     {len(load_types(config.catalogues))} of alarms and events",
        f"shards    {len(config.shards)}",
        f"admit     {config.admit}",
        "ok",
    ]
    return "".join(f"{line}\n" for line in lines)


def _tls(config: CentralConfig) -> str:
    return " over TLS" if config.http.is_secure else " in the clear, on loopback"


def _brokers(config: CentralConfig) -> Iterator[str]:
    for broker in config.brokers:
        yield f"broker    {broker.name} {broker.host}:{broker.port}"
    if not config.brokers:
        yield "broker    none: central will hear no node; add [[broker]] or --broker"
    if (own := config.fleet_broker) is not None:
        listens = f"{own.host}:{own.port}"
        yield f"          {own.name} is ours: `roost-central broker` runs it on {listens}"


def _fleet(config: CentralConfig) -> Iterator[str]:
    fleet = config.fleet
    if not fleet.domain:
        yield "fleet     none: no box can be enrolled; [fleet] domain names one"
        return
    yield f"fleet     {fleet.domain}, signed for at {fleet.signer_socket}"
    if not fleet.signer_socket.exists():
        yield "WARNING   the signer does not listen there: start roost-signer"


def _enrolment(config: CentralConfig) -> Iterator[str]:
    enrol = config.enrol
    if enrol is None:
        yield "enrol     none: no box is let in; add [enrol]"
        return
    yield f"enrol     {enrol.host}:{enrol.port}, boxes join {enrol.public_url}"
    for broker in enrol.brokers:
        yield f"          nodes are sent to {broker.name} {broker.url}"
    for rule in enrol.rules:
        yield f"          rule {rule.name}: boxes go to {rule.site} with nobody asked"
    known = {broker.name for broker in config.brokers}
    for name in (each.name for each in enrol.brokers if each.name not in known):
        yield (
            f"WARNING   this centre hears no broker {name}: nodes would speak there to nobody; "
            "add [fleet_broker] or a [[broker]] of that name"
        )


def _witness(config: CentralConfig) -> Iterator[str]:
    if config.witness_keys is None:
        return
    keys, faults = read_folder(config.witness_keys)
    yield f"witness   of {len(keys)} sites, keys in {config.witness_keys}"
    for fault in faults:
        yield f"WARNING   {fault}"
