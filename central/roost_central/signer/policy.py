"""Reads and writes the signer's policy: a file of its own, which no API reaches."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from roost_central.errors import ConfigError
from roost_central.signer.core import Policy
from roost_protocol.certificate import check_domain
from roost_protocol.errors import ProtocolError
from roost_protocol.order_verbs import VERBS

FILE_BYTES_MAX: Final = 64 << 10


def load(path: Path) -> Policy:
    """Return the policy of a file.

    Raises:
        ConfigError: ``policy`` with what is wrong; an unknown key is.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        raw = file.read(FILE_BYTES_MAX + 1)
    try:
        if len(raw) > FILE_BYTES_MAX:
            raise ProtocolError("oversize", bound=f"{FILE_BYTES_MAX} bytes")
        policy = msgspec.convert(tomllib.loads(raw.decode()), Policy)
        check_domain(policy.domain)
        for verb in (*policy.orders_by_two, *policy.orders_never):
            if verb not in VERBS:
                raise ProtocolError("verb", got=verb, bound=f"one of {', '.join(VERBS)}")
    except ValueError as err:  # of TOML, of its text, of msgspec, of the domain
        raise ConfigError("policy", field=str(path), got=str(err)) from err
    return policy


def text(policy: Policy) -> str:
    """Return a policy as its file holds it, with what each key means."""
    rates = "".join(
        f"{name} = {{ per_minute = {rate.per_minute}, burst = {rate.burst} }}\n"
        for name, rate in (
            ("nodes", policy.nodes),
            ("services", policy.services),
            ("lists", policy.lists),
            ("orders", policy.orders),
            ("configurations", policy.configurations),
            ("releases", policy.releases),
        )
    )
    return (
        "# What `roost-central signer` signs. It is read when that starts; no API changes it.\n"
        f'domain = "{policy.domain}"\n'
        "# Who may ask, beside the user that it runs as.\n"
        f"users = {_listed(policy.users)}\n"
        "# Days that certificates live: of a node, at most of a node, of the centre's own parts.\n"
        f"node_days = {policy.node_days}\n"
        f"node_days_max = {policy.node_days_max}\n"
        f"service_days = {policy.service_days}\n"
        "# How many signatures a minute in the long run, and at once: certificates of nodes, of\n"
        "# the centre's parts, lists of what is revoked, orders of people, settings of nodes,\n"
        "# metadata of releases.\n"
        f"{rates}"
        "# Orders: verbs that a second person approves, verbs that are never signed, and for how\n"
        "# many hours an order counts at the most.\n"
        f"orders_by_two = {_listed(policy.orders_by_two)}\n"
        f"orders_never = {_listed(policy.orders_never)}\n"
        f"order_hours_max = {policy.order_hours_max}\n"
        "# Releases: operators of policy/operators who must have agreed to a rollout (0: none),\n"
        "# and for how many days the metadata of a site counts, with a WAN and without one.\n"
        f"release_approvals = {policy.release_approvals}\n"
        f"release_days = {policy.release_days}\n"
        f"release_days_offline = {policy.release_days_offline}\n"
    )


def _listed(words: Iterable[str]) -> str:
    quoted = (f'"{word}"' for word in words)
    return f"[{', '.join(quoted)}]"
