"""Why an update is refused or fails, as a closed list of words, and what a person does about each.

A node tells a failure as ``STEP: CODE: sentence``; the centre puts the node's id before it. Steps
are those of docs/updates.md, codes are ``Refusal``. Where there is no code (a step took too long, a
node was not well) the step helps, or the type of the failure. Pure.

Invariant: each code and each type has a sentence that says what to do next; a new one without it
is not taken (tests/protocol/test_remedy.py).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from roost_protocol.update import FailureType


class Refusal(StrEnum):
    """Why a release is not installed, or an offer not taken; a word for programs."""

    # What a repository brings is not believed.
    EXPIRED = "expired"
    ROLLBACK = "rollback"
    SIGNATURE = "signature"
    ENDLESS = "endless"
    MIXED = "mixed"
    UNREACHABLE = "unreachable"
    ABSENT = "absent"
    METADATA = "metadata"
    DOCUMENT = "document"
    # The two repositories do not both name it, or not for this node and now.
    IMAGE = "image"
    DIRECTOR = "director"
    DIFFERS = "differs"
    DIGEST = "digest"
    MANIFEST = "manifest"
    NODE = "node"
    CLOCK = "clock"
    EARLY = "early"
    LATE = "late"
    STAGED = "staged"
    # It does not fit this node.
    FLOOR = "floor"
    ARCH = "arch"
    HARDWARE = "hardware"
    HOP = "hop"
    # It could not be put there.
    TRUST = "trust"
    SPACE = "space"
    UNPACK = "unpack"
    DISK = "disk"
    KIND = "kind"
    INSTALLER = "installer"
    OUTSIDE = "outside"
    WALLS = "walls"
    LATER = "later"
    RUNS = "runs"
    TRIAL = "trial"
    REQUEST = "request"
    ROOT = "root"
    # The agent does not take an offer, or gives a job no more up.
    BUSY = "busy"
    OFFER = "offer"
    ATTEMPT = "attempt"
    JOURNAL = "journal"
    ENDED = "ended"
    UNKNOWN = "unknown"
    COMMITTED = "committed"


REMEDIES: Final[Mapping[Refusal, str]] = {
    Refusal.EXPIRED: "see that roost-signer runs at the centre and that the node's clock is right; "
    "what its holders signed for 180 days goes on by roost release prolong; a site without a WAN "
    "needs a new stick (roost release export SITE)",
    Refusal.ROLLBACK: "bring it the newest (a stick: write it anew); where the centre came back "
    "from a backup, publish once more: versions only grow",
    Refusal.SIGNATURE: "have more of its holders sign (roost release draft shows who has), then "
    "publish again",
    Refusal.ENDLESS: "leave this mirror out, or write the stick anew",
    Refusal.MIXED: "retry; where it stays so, publish again, or write the stick anew",
    Refusal.UNREACHABLE: "look at the site's WAN, and at the centre (roost status), then retry",
    Refusal.ABSENT: "see that the mirror (updates.source of the node) has the whole repository; a "
    "stick has to hold all that roost release export wrote",
    Refusal.METADATA: "write the stick anew, or publish again: a file of the repository is damaged",
    Refusal.DOCUMENT: "bring agent and centre to releases that are next to each other, the agent "
    "first",
    Refusal.IMAGE: "have it signed and published (roost release list); where it was retracted, "
    "make a plan of another one",
    Refusal.DIRECTOR: "see that a rollout offers it to this node (roost rollout jobs), then retry; "
    "a stick is written after that rollout has begun",
    Refusal.DIFFERS: "look at who changed it at the centre (roost audit verify), then publish it "
    "again",
    Refusal.DIGEST: "retry: it is fetched anew; where it stays so, publish its bundle again",
    Refusal.MANIFEST: "build its bundle anew (roost release build) under a higher counter",
    Refusal.NODE: "look at who is in the plan (roost rollout jobs); a stick is written for one "
    "site: take the one of this node's",
    Refusal.CLOCK: "set the node's clock, or let a time service keep it, then retry",
    Refusal.EARLY: "wait for its time; else look at the node's clock",
    Refusal.LATE: "make a new rollout of it: the time of this one has passed; else look at the "
    "node's clock",
    Refusal.STAGED: "retry: it is staged on the node anew",
    Refusal.FLOOR: "build the older files under a higher counter: nodes go back no other way",
    Refusal.ARCH: "leave these nodes out by the plan's selector, or build the release for theirs "
    "(roost release build --arch) under a higher counter",
    Refusal.HARDWARE: "leave these nodes out by the plan's selector, or build the release for "
    "theirs as well (roost release build --hw) under a higher counter",
    Refusal.HOP: "bring the release in between first (roost release show names the way)",
    Refusal.TRUST: "look on the node, as root, at roost-agent verify show; roost-agent verify "
    "anchor makes what was never there",
    Refusal.SPACE: "make room on the node, then retry",
    Refusal.UNPACK: "retry: what it is made of is fetched anew; where it stays so, publish its "
    "bundle again",
    Refusal.DISK: "look at the node's disk (roost alarm list, dmesg), then retry",
    Refusal.KIND: "install the plugin first, or build the release as a kind that its component "
    "takes (docs/updates.md)",
    Refusal.INSTALLER: "read the installer's words on the node (roost-agent update history); mend "
    "the release and build it under a higher counter; what ran before runs there",
    Refusal.OUTSIDE: "name the path in writes of /etc/roost/installers.d/KIND.toml on the node, "
    "if its installer may write there; else mend the installer (plugin/KIND) and build it under a "
    "higher counter; what ran before runs there",
    Refusal.WALLS: "mend on the node what the text names: /etc/roost/installers.d/KIND.toml, or a "
    "kernel before 5.12 or a changed roost-install@.service, with which no plugin is run; retry",
    Refusal.LATER: "retry later: its installer asks for that",
    Refusal.RUNS: "read what its installer said on the node (roost-agent update history): it says "
    "done, and what runs is another; mend the release and build it under a higher counter",
    Refusal.TRIAL: "look on the node at roost-install show, then retry",
    Refusal.REQUEST: "update roost's own programs on the node together, then retry",
    Refusal.ROOT: "look on the node at systemctl status roost-helper.socket and journalctl -u "
    "'roost-install@*', then retry",
    Refusal.BUSY: "let what is under way on the node end, or abort its rollout, then retry",
    Refusal.OFFER: "bring agent and centre to releases that are next to each other, the agent "
    "first",
    Refusal.ATTEMPT: "wait: a newer attempt is with the node already (roost rollout jobs)",
    Refusal.JOURNAL: "look at the node's disk: its journal cannot be written; then retry",
    Refusal.ENDED: "look how it ended (roost rollout jobs): nothing is left to give up",
    Refusal.UNKNOWN: "retry: the node never had this job",
    Refusal.COMMITTED: "send the site back, if it should not have it: roost rollout rollback",
}

OF_OFFERS: Final = (
    frozenset(  # with which a node takes no offer; other orders have these words, too
        {Refusal.BUSY, Refusal.OFFER, Refusal.ATTEMPT, Refusal.JOURNAL, Refusal.NODE, Refusal.LATE}
    )
)

BY_STEP: Final[Mapping[str, str]] = {  # of steps whose type alone says too little
    "offer": "look at the node (roost-agent update status, roost order list): it did not take the "
    "offer; then retry",
    "signer": "see what is named and approved (roost release show, roost rollout show, roost "
    "release members SITE): the signer gives this site no document; then retry",
    "download": "look at the site's WAN and its budget of bytes (roost-agent update status), then "
    "retry",
    "staged": "look at what the node waits for (roost-agent update status): a window, a hold, or "
    "its site; then retry",
    "drain": "look at what runs on the node and at its drain.d programs (journalctl -u "
    "roost-agent), then retry; nothing was installed",
    "swact": "look why no other node takes over (roost ha status), then retry; nothing was "
    "installed",
    "lock": "look at the node (roost host show), then retry; nothing was installed",
    "unlock": "unlock the node by hand (roost host unlock) once its alarms are gone",
    "rollback": "look at the node (roost-install show, roost-agent update history): it could not "
    "go back by itself",
    "rollback_reboot": "look at the node's console or board controller: it did not come back",
    "verify_rollback": "look at the node (roost-install show, roost-agent update history): what "
    "ran before does not run well",
}

BY_TYPE: Final[Mapping[FailureType, str]] = {
    FailureType.DOWNLOAD: "look at the site's WAN and its budget of bytes, then retry",
    FailureType.VERIFY: "look at what is signed (roost release show) and at the node's word "
    "(roost-agent update history); a retry helps once that is mended",
    FailureType.PRECHECK: "make room, or leave out of the plan whom it is not for, then retry",
    FailureType.INSTALL: "read the installer's words on a node (roost-agent update history); "
    "the old release runs there",
    FailureType.BOOT: "look at the node's console or board controller: it did not come back with "
    "it",
    FailureType.HEALTH: "look at what the release did to a site (roost alarm list -q site=SITE), "
    "then roll back, unless that is done",
    FailureType.OPERATOR: "ask who refused it or took it back why, then retry",
    FailureType.TIMEOUT: "look at where a site stands (roost rollout jobs): it took too long; "
    "then retry",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a failure's detail says, taken apart.

    Attributes:
        node: its id; empty: not said.
        step: at which it failed; empty: not said.
        code: why; None: only the sentence says.
        text: the sentence, without the three.
    """

    node: str
    step: str
    code: Refusal | None
    text: str


_NODE: Final = re.compile(r"[^\s:.]+(\.[^\s:.]+)+")  # SITE.NODE
_STEPS: Final = frozenset(
    {
        "offer",
        "signer",
        "precheck",
        "download",
        "verify",
        "staged",
        "install",
        "reboot",
        "verify_reboot",
    }
    | {"commit", "cleanup", *BY_STEP}
)
_CODES: Final = frozenset(str(each) for each in Refusal)


def taken_apart(detail: str) -> Told:
    """Return node, step and code of a failure's detail, as far as it says them."""
    node, rest = _word(detail, lambda word: _NODE.fullmatch(word) is not None)
    step, rest = _word(rest, _STEPS.__contains__)
    code, rest = _word(rest, _CODES.__contains__)
    return Told(node, step, Refusal(code) if code else None, rest)


def remedy(failure: FailureType, detail: str = "") -> str:
    """Return what to do about a failure: by its code, else its step, else its type."""
    told = taken_apart(detail)
    if told.code is not None:
        return REMEDIES[told.code]
    return BY_STEP.get(told.step) or BY_TYPE[failure]


def _word(text: str, is_one: Callable[[str], bool]) -> tuple[str, str]:
    """Return the word before the first colon if it is one, and what follows."""
    word, colon, rest = text.partition(": ")
    return (word, rest) if colon and is_one(word) else ("", text)
