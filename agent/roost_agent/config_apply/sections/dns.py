"""``dns``: the resolver, by systemd-resolved where /etc/resolv.conf is its, else by that file.

resolved: a drop-in (resolved.conf(5)), which knows servers and domains alone. The file:
resolv.conf(5); what a profile does not set stays in it. Where something else writes it, such as
NetworkManager, the section is refused: two hands would write one file.
"""

from typing import Final

from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.section import Originals, Plan, Values
from roost_agent.config_apply.step import Unit
from roost_agent.config_apply.target import Found, Kind, Target, Targets, file, keys_of, plan
from roost_protocol.profile.check import Tree
from roost_protocol.profile.field import Path
from roost_protocol.profile.kinds import Scalar, Value

RESOLV: Final = "etc/resolv.conf"
LINK: Final = "etc/resolv.conf ->"  # where it leads, beside what it holds
RESOLVED_FILE: Final = "etc/systemd/resolved.conf.d/60-roost.conf"
RESOLVED_LINK: Final = "systemd/resolve/"
_OPTIONS: Final = {"timeout_s": "timeout", "attempts": "attempts"}


class Dns:
    """See Section."""

    name: str = "dns"
    needs_confirm: bool = False

    def read(self, wanted: Tree, before: Tree, machine: Machine) -> Found:  # noqa: ARG002
        """See Section."""
        found = {path: machine.read(path) for path in (RESOLV, RESOLVED_FILE)}
        return found | {LINK: machine.read_link(RESOLV)}

    def refusals(self, wanted: Tree, found: Found) -> list[str]:
        """See Section."""
        settings = [name for name in wanted if name != "drift"]
        if _is_resolved(found):
            alien = [name for name in settings if name not in {"servers", "search"}]
            return [f"{name}: systemd-resolved has no such setting" for name in alien]
        if settings and (link := found.get(LINK)) is not None:
            return [f"/{RESOLV} is a link to {link.decode('utf-8', 'replace')}: not ours to write"]
        return []

    def plan(self, wanted: Tree, before: Tree, found: Found, originals: Originals) -> Plan:
        """See Section."""
        base = originals.get(RESOLV, found.get(RESOLV))
        targets = (_targets(wanted, found, base), _targets(before, found, base))
        return plan(*targets, found, originals)

    def values(self, wanted: Tree, found: Found) -> Values:
        """See Section."""
        now = _resolved_now(found) if _is_resolved(found) else _file_now(found.get(RESOLV))
        return {(name,): now.get(name) for name in wanted if name != "drift"}

    def pending(self, wanted: Tree, found: Found) -> frozenset[Path]:  # noqa: ARG002
        """See Section."""
        return frozenset()


def _is_resolved(found: Found) -> bool:
    return RESOLVED_LINK in (found.get(LINK) or b"").decode("utf-8", "replace")


def _targets(tree: Tree, found: Found, base: bytes | None) -> Targets:
    settings = {name: value for name, value in tree.items() if name != "drift"}
    if not settings:
        return {}
    if not _is_resolved(found):
        return {RESOLV: Target(Kind.FILE, _resolv_conf(settings, base))}
    lines = ["[Resolve]"]
    if "servers" in settings:
        lines.append(f"DNS={' '.join(settings['servers'])}")
    if "search" in settings:
        lines.append(f"Domains={' '.join(settings['search'])}")
    return {RESOLVED_FILE: file(lines, Unit("restart", "systemd-resolved.service"))}


def _resolv_conf(settings: Tree, base: bytes | None) -> bytes:
    """Return the file: the settings, and what was there before roost for all that is not set."""
    now = {**_file_now(base), **settings}
    lines = []
    if now.get("search"):
        lines.append(f"search {' '.join(now['search'])}")
    lines += [f"nameserver {server}" for server in now.get("servers") or ()]
    options = [f"{word}:{now[name]}" for name, word in _OPTIONS.items() if now.get(name)]
    options += ["rotate"] if now.get("rotate") else []
    if options:
        lines.append(f"options {' '.join(options)}")
    return file(lines).content


def _file_now(raw: bytes | None) -> dict[str, Value]:
    """Return what a resolv.conf says, by the names of the settings."""
    servers: list[Scalar] = []
    found: dict[str, Value] = {"rotate": False}
    for line in (raw or b"").decode("utf-8", "replace").splitlines():
        word, *rest = line.split() or [""]
        if word == "nameserver" and rest:
            servers.append(rest[0])
        elif word in {"search", "domain"} and rest:
            found["search"] = [*rest]
        elif word == "options":
            found |= _options(rest)
    return found | ({"servers": servers} if servers else {})


def _options(given: list[str]) -> dict[str, Value]:
    pairs = dict(each.partition(":")[::2] for each in given)
    known = {name: pairs.get(word, "") for name, word in _OPTIONS.items()}
    found: dict[str, Value] = {name: int(text) for name, text in known.items() if text.isdecimal()}
    return found | ({"rotate": True} if "rotate" in pairs else {})


def _resolved_now(found: Found) -> dict[str, Value]:
    said = keys_of(found.get(RESOLVED_FILE))
    names = {"servers": said.get("DNS", ""), "search": said.get("Domains", "")}
    return {name: [*text.split()] for name, text in names.items() if text}
