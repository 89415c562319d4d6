"""The entity that an event is about, from the fleet down: ``site=lab,node=n1,path=wan1``."""


def entity_of(site: str | None, node: str | None, rest: str = "") -> str:
    """Return the entity of something of a site or of a node.

    Args:
        site: site id, None for the centre's own.
        node: node id, None for a whole site.
        rest: what follows, as the node said it.
    """
    parts = [f"site={site}"] if site else []
    if node:
        parts.append(f"node={node.partition('.')[2]}")
    if rest:
        parts.append(rest)
    return ",".join(parts)
