"""Names and topics: who speaks, and where.

``roost/v1/<shard>/<node-id>/{up,down}/<leaf>`` on central brokers, ``roost/ha/v1/<node-id>/<leaf>``
on site brokers. The shard is part of the topic so that ingest scales over workers on any broker.
"""

import re
import zlib
from typing import Final, NewType

import msgspec

from roost_protocol.errors import ProtocolError
from roost_protocol.limits import (
    NAME_CHARS_MAX,
    NODE_ID_CHARS_MAX,
    PATH_NAME_CHARS_MAX,
    SHARDS,
    SITE_NODE_CHARS_MAX,
)

SiteId = NewType("SiteId", str)
NodeId = NewType("NodeId", str)
PathId = NewType("PathId", str)

ROOT: Final = "roost/v1"
SITE_ROOT: Final = "roost/ha/v1"
UP_LEAVES: Final = frozenset({"beat", "report", "gone", "ha"})

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?", re.ASCII)
_PATH: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,14}[a-z0-9])?", re.ASCII)


def check_name(text: str, *, field: str) -> str:
    """Return ``text`` if it may name a site or a node.

    Raises:
        ProtocolError: ``name``, with the field and the rule.
    """
    if not _NAME.fullmatch(text):
        raise ProtocolError(
            "name",
            field=field,
            got=text,
            bound=f"1 to {NAME_CHARS_MAX} of a-z 0-9 -, not starting or ending with -",
        )
    return text


def check_path_name(text: str, *, field: str = "path") -> PathId:
    """Return ``text`` if it may name a path.

    Raises:
        ProtocolError: ``name``, with the field and the rule.
    """
    if not _PATH.fullmatch(text):
        raise ProtocolError(
            "name",
            field=field,
            got=text,
            bound=f"1 to {PATH_NAME_CHARS_MAX} of a-z 0-9 -, not starting or ending with -",
        )
    return PathId(text)


def node_id(site: str, node: str) -> NodeId:
    """Return ``<site>.<node>``, the name of a slot.

    Raises:
        ProtocolError: ``name`` or ``oversize``.
    """
    check_name(site, field="site")
    check_name(node, field="node")
    if len(site) + len(node) > SITE_NODE_CHARS_MAX:
        raise ProtocolError("oversize", field="node id", bound=SITE_NODE_CHARS_MAX)
    return NodeId(f"{site}.{node}")


def split_node_id(text: str) -> tuple[SiteId, str]:
    """Return site and node of a node id.

    Raises:
        ProtocolError: ``name`` or ``oversize``.
    """
    site, dot, node = text.partition(".")
    if not dot:
        raise ProtocolError("name", field="node id", got=text, bound="<site>.<node>")
    node_id(site, node)
    return SiteId(site), node


def shard_of(site: str) -> int:
    """Return the shard of a site, 0 to SHARDS - 1: every node of a site has the same."""
    return zlib.crc32(site.encode()) % SHARDS


class NodeTopics(msgspec.Struct, frozen=True):
    """All topics of one node."""

    beat: str
    report: str
    gone: str
    receipt: str
    order: str
    offer: str
    site_beat: str
    ha_up: str
    ha_down: str

    @classmethod
    def of(cls, node: str) -> "NodeTopics":
        """Return the topics of a node id.

        Raises:
            ProtocolError: ``name`` or ``oversize``.
        """
        site, _ = split_node_id(node)
        stem = f"{ROOT}/{shard_of(site):02x}/{node}"
        return cls(
            beat=f"{stem}/up/beat",
            report=f"{stem}/up/report",
            gone=f"{stem}/up/gone",
            receipt=f"{stem}/down/receipt",
            order=f"{stem}/down/order",
            offer=f"{stem}/down/offer",
            site_beat=f"{SITE_ROOT}/{node}/beat",
            ha_up=f"{stem}/up/ha",
            ha_down=f"{stem}/down/ha",
        )


class UpTopic(msgspec.Struct, frozen=True):
    """Who said what kind of thing to the centre, as the broker vouches for it."""

    node: NodeId
    site: SiteId
    leaf: str


def parse_up(topic: str) -> UpTopic:
    """Return the speaker and the leaf of an up topic.

    Raises:
        ProtocolError: ``topic`` or ``name``, or ``shard`` when the shard is not the site's.
    """
    if len(topic) > len(ROOT) + NODE_ID_CHARS_MAX + 20:
        raise ProtocolError("topic", got=topic, detail="longer than any topic of a node")
    match topic.split("/"):
        case ["roost", "v1", shard, node, "up", leaf] if leaf in UP_LEAVES:
            site, _ = split_node_id(node)
            if shard != f"{shard_of(site):02x}":
                raise ProtocolError(
                    "shard", field="topic", got=shard, bound=f"{shard_of(site):02x}"
                )
            return UpTopic(NodeId(node), site, leaf)
        case _:
            raise ProtocolError(
                "topic",
                got=topic,
                bound=f"{ROOT}/<shard>/<node-id>/up/<{'|'.join(sorted(UP_LEAVES))}>",
            )


def canary_topic(tag: str) -> str:
    """Return where the centre says something to itself, to hear whether a broker carries it."""
    return f"{ROOT}/canary/{tag}"


def up_subscriptions(shards: range | list[int]) -> list[str]:
    """Return the subscriptions of an ingest worker that owns ``shards``."""
    if len(shards) == SHARDS:
        return [f"{ROOT}/+/+/up/+"]
    return [f"{ROOT}/{shard:02x}/+/up/+" for shard in shards]
