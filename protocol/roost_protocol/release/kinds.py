"""Which kinds of installer a component may have: by its class, never by its manifest.

A tenant's configuration must not reach ``/etc/systemd``: so the class chooses, and the installers
that write elsewhere are not for it (updates.md 9). A node refuses what does not fit, and so does
the desk where a release is built, as far as it can tell: a kind that came as a plugin it cannot.
"""

from typing import Final

AGENT: Final = "agent-self"
BUILT_IN: Final = ("files", "unit", "deb", "container", AGENT)
OF_CLASS: Final = {
    "agent": (AGENT,),
    "os": ("deb",),
    "app": ("files", "unit", "deb", "container"),
    "config": ("files",),
    "plugin": ("files",),
    "policy": ("files",),
}
PLUGGED: Final = frozenset({"os", "app"})  # may have an installer that came as a plugin


def family(component: str) -> str:
    """Return a component's class."""
    return component.partition("/")[0]


def refusal(component: str, kind: str) -> str:
    """Return why a component cannot be of a kind, with what it takes; empty: it may be."""
    of = family(component)
    allowed = OF_CLASS.get(of, ())
    if kind in allowed or (of in PLUGGED and kind not in BUILT_IN):
        return ""
    shown = ", ".join((*allowed, "or what comes as plugin/KIND") if of in PLUGGED else allowed)
    return f"{component} cannot be of kind {kind}: {of} takes {shown}"
