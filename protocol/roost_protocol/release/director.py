"""Who installs what, now: one document for each site, in the director's signed targets. Pure.

It stands beside the targets it names, under the key ``roost``, so that one signature covers both
and one file is fetched (updates.md 10). A node that no longer finds itself in the newest one is to
install nothing: so jobs are cancelled and releases retracted.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.envelope import Count, NodeText
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import HA_NODES_MAX
from roost_protocol.release.members import Members, check_members
from roost_protocol.release.target import TargetPath
from roost_protocol.topics import split_node_id
from roost_protocol.update_verbs import JobText

FIELD: Final = "roost"  # of the director's signed targets
VERSION: Final = 1
ASSIGNMENTS_MAX: Final = 64  # open jobs of a site
WAVE_MAX: Final = 1_000

Site = Annotated[str, Meta(min_length=1, max_length=64)]


class Assignment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A release for some nodes.

    Attributes:
        rollout: the one that operators approved.
        target: the path of a target that stands in the same metadata.
        nodes: node ids of the site.
        not_before_ms, not_after_ms: UTC.
    """

    rollout: JobText
    job: JobText
    wave: Annotated[int, Meta(ge=0, le=WAVE_MAX)] = 0
    target: TargetPath
    nodes: Annotated[list[NodeText], Meta(min_length=1, max_length=HA_NODES_MAX)]
    not_before_ms: Count
    not_after_ms: Count


class SiteDocument(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """All that a site is to install, and who belongs to it.

    Attributes:
        members: node id to the number of its box; empty: it says nothing of them.
    """

    v: int
    site: Site
    assignments: Annotated[list[Assignment], Meta(max_length=ASSIGNMENTS_MAX)]
    members: Members = {}

    def check(self) -> None:
        """Check what the shape does not say.

        Raises:
            ProtocolError: ``version``, ``node``, ``times`` or ``twice``.
        """
        if self.v != VERSION:
            raise ProtocolError("version", field="v", got=self.v, bound=VERSION)
        check_members(self.site, self.members)
        seen: set[tuple[str, str]] = set()
        for each in self.assignments:
            if each.not_after_ms <= each.not_before_ms:
                got = f"{each.not_before_ms} to {each.not_after_ms}"
                raise ProtocolError("times", field="not_after_ms", got=got, bound="> not_before_ms")
            component = each.target.rpartition("/")[0]
            for node in each.nodes:
                if split_node_id(node)[0] != self.site:
                    raise ProtocolError("node", field="nodes", got=node, bound=f"of {self.site}")
                if (node, component) in seen:
                    raise ProtocolError("twice", field="nodes", got=f"{node}: {component}")
                seen.add((node, component))

    def assigned(self, node: str, path: str) -> Assignment | None:
        """Return what names a target for a node; None: nothing does."""
        found = (each for each in self.assignments if each.target == path and node in each.nodes)
        return next(found, None)


def read_document(said: object) -> SiteDocument:
    """Return the document of a director's metadata.

    Args:
        said: the value of its field FIELD, as JSON gave it.

    Raises:
        ProtocolError: ``document`` or what ``SiteDocument.check`` says.
    """
    try:
        read = msgspec.convert(said, SiteDocument)
    except msgspec.ValidationError as err:
        raise ProtocolError("document", field=FIELD, detail=str(err)[:200]) from err
    read.check()
    return read
