"""Whether a node may touch another's power, and why not (design: ha, 6 and 8; invariant I11)."""

from roost_agent.ha.fence.event import Case, Situation


def reading_refusal(me: int, case: Case, now: Situation) -> str:
    """Return why the owner's power is not even asked for; empty where it may be.

    What is read must say something of the boot that is to end, so that boot must still be the last
    one that anybody heard of.
    """
    node = case.node
    if node == me:
        return "it is this node"
    if node in now.present:
        return f"node {node} is heard"
    if now.boots.get(node, case.boot) != case.boot:
        return f"node {node} has booted since"
    if now.is_isolated:
        return "this node may be the one that is cut off"
    return ""


def off_refusal(me: int, case: Case, now: Situation) -> str:
    """Return why the owner is not switched off; empty where it may be."""
    if refusal := reading_refusal(me, case, now):
        return refusal
    if case.node in now.spared:
        return f"node {case.node} said good-bye, or is under maintenance"
    if not case.may_off:
        return "the configuration lets nobody switch it off"
    if not now.is_sticky:
        return "" if now.has_majority else "this node hears no majority"
    return _pair_refusal(case, now)


def _pair_refusal(case: Case, now: Situation) -> str:
    """Return why one of a pair does not switch the other off: no majority says who is cut off."""
    if now.is_owner:
        return "an owner fences nobody"
    if case.node in now.unsure:
        return f"this node's gateway fell silent with node {case.node}: this one may be cut off"
    # Else a fenced node that boots into the cut would fence back, for ever.
    return "" if case.is_heard else f"this boot of node {case.node} was not heard yet"
