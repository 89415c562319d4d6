"""Whether a node may install a release: the rule itself. Pure.

Invariants:

- the image repository says what may ever run, the director what runs where: without both there is
  no yes, and where they differ in length, digest or description there is none;
- a release below the floor, for other hardware, another node or another time is refused;
- each refusal has a word for programs and a sentence for people, and the first that holds is told.

Leaves to others: whose word the chains are (chain.py), and floors over time (kept.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from roost_agent.moment import shown
from roost_protocol.errors import ProtocolError
from roost_protocol.release.director import Assignment, SiteDocument
from roost_protocol.release.manifest import Manifest
from roost_protocol.release.target import TargetCustom, check_manifest
from roost_protocol.remedy import Refusal
from roost_protocol.topics import split_node_id

ACCEPTED: Final = ""
MODELS_SHOWN: Final = 3
_HEX_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Named:
    """A target as one repository names it."""

    path: str
    length: int
    sha256: str
    custom: TargetCustom


@dataclass(frozen=True, slots=True)
class Site:
    """A node, as root knows it.

    Attributes:
        node: its id, ``SITE.NODE``.
        arch: of the machine, as ``uname -m`` says.
        hw: names of its hardware model, any of which a release may ask for.
        floors: component to the least counter that may be installed.
        running: component to the counter of what is committed; absent: unknown.
        clock_floor_ms: no earlier time is believed.
    """

    node: str
    arch: str = ""
    hw: frozenset[str] = frozenset()
    floors: Mapping[str, int] = field(default_factory=dict)
    running: Mapping[str, int] = field(default_factory=dict)
    clock_floor_ms: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """What the two chains say of one release, each as far as it was verified.

    Attributes:
        path: of the target that is asked for.
        image: by offline keys; None: it is not named, or no more.
        director: by online keys.
        document: the director's, for a site.
    """

    path: str
    image: Named | None
    director: Named | None
    document: SiteDocument


@dataclass(frozen=True, slots=True)
class Verdict:
    """Yes with an empty code, or why not.

    Attributes:
        code: a ``Refusal``, or ACCEPTED.
        job: whose assignment it is.
        custom: what the signers say of the release.
        not_after_ms: the director's end of the assignment.
    """

    code: str
    text: str
    path: str = ""
    digest: str = ""
    job: str = ""
    custom: TargetCustom | None = None
    not_after_ms: int = 0

    @property
    def is_accepted(self) -> bool:
        """Whether it may be installed."""
        return self.code == ACCEPTED


def judge(said: Said, raw: bytes, manifest: Manifest, site: Site, now_ms: int) -> Verdict:
    """Return whether the release of a manifest may be installed on a node now.

    Args:
        said: by the chains, of the target that the manifest claims to be.
        raw: the manifest's bytes.
        manifest: what they say.
        site: the node.
        now_ms: UTC, as root knows it.
    """
    both = _both(said, raw, manifest)
    if isinstance(both, Verdict):
        return replace(both, text=f"{both.text}: {site.node} does not take it")
    job = said.document.assigned(site.node, said.path)
    of_site = split_node_id(site.node)[0] == said.document.site
    if job is None or not of_site:
        told = "" if of_site else f": it is for {said.document.site}"
        text = f"the director names {said.path} for other nodes, not {site.node}{told}"
        return _no(Refusal.NODE, text)
    fault = _untimely(both.custom, job, site, now_ms) or _unfit(both.custom, site)
    if fault is not None:
        return fault
    return Verdict(
        ACCEPTED, f"{said.path} is named by both chains for {site.node}", said.path, both.sha256,
        job.job, both.custom, job.not_after_ms,
    )  # fmt: skip


def _both(said: Said, raw: bytes, manifest: Manifest) -> Named | Verdict:
    """Return the target that both chains name, if these are its bytes."""
    image, director = said.image, said.director
    if image is None:
        return _no(Refusal.IMAGE, f"the image repository does not name {said.path}, or no more")
    if director is None:
        return _no(Refusal.DIRECTOR, f"the director does not name {said.path}, or no more")
    if image != director:
        return _no(
            Refusal.DIFFERS, f"image repository and director describe {said.path} differently"
        )
    digest = sha256(raw).hexdigest()
    if (len(raw), digest) != (image.length, image.sha256):
        got, want = digest[:_HEX_SHOWN], image.sha256[:_HEX_SHOWN]
        return _no(Refusal.DIGEST, f"the manifest of {said.path} is {got}..., named is {want}...")
    try:
        check_manifest(image.custom, manifest)
    except ProtocolError as err:
        return _no(Refusal.MANIFEST, f"the manifest is not what its signers describe: {err}")
    return image


def _untimely(custom: TargetCustom, job: Assignment, site: Site, now_ms: int) -> Verdict | None:
    """Return why it is not the time of a release; None: it is."""
    signed_ms, here = max(site.clock_floor_ms, custom.signed_at_ms), shown(now_ms)
    if now_ms < signed_ms:
        text = f"the clock of {site.node} says {here}, and at {shown(signed_ms)} it was signed"
        return _no(Refusal.CLOCK, text)
    if now_ms < job.not_before_ms:
        text = f"its time begins at {shown(job.not_before_ms)}, on {site.node} it is {here}"
        return _no(Refusal.EARLY, text)
    if now_ms >= job.not_after_ms:
        text = f"its time ended at {shown(job.not_after_ms)}, on {site.node} it is {here}"
        return _no(Refusal.LATE, text)
    return None


def _unfit(custom: TargetCustom, site: Site) -> Verdict | None:
    """Return why a release does not fit a node; None: it does."""
    release, node = f"{custom.component} {custom.version}", site.node
    floor = site.floors.get(custom.component, 0)
    if custom.counter < floor:
        text = f"{release} has counter {custom.counter}, and {node} takes none below {floor}"
        return _no(Refusal.FLOOR, text)
    if custom.arch and custom.arch != site.arch:
        return _no(Refusal.ARCH, f"{release} is for {custom.arch}, and {node} is {site.arch}")
    if custom.hw and site.hw.isdisjoint(custom.hw):
        shown = ", ".join(sorted(site.hw)) or "of a model that its firmware does not name"
        text = f"{release} is for {_some(custom.hw)}, and {node} is {shown}"
        return _no(Refusal.HARDWARE, text)
    running = site.running.get(custom.component)
    if running is not None and running < custom.least_counter:
        text = f"{release} comes from counter {custom.least_counter} on, and {node} runs {running}"
        return _no(Refusal.HOP, text)
    return None


def _some(models: Sequence[str]) -> str:
    """Return some models of a list that may be long."""
    more = f" and {len(models) - MODELS_SHOWN} more" if len(models) > MODELS_SHOWN else ""
    return ", ".join(models[:MODELS_SHOWN]) + more


def _no(code: Refusal, text: str) -> Verdict:
    return Verdict(code, text)
