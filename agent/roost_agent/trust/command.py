"""``roost-agent verify release|refresh|commit|anchor|show``: children of agent and root.

- ``release`` judges the manifest on standard input. Exit 0: both chains name it for this node now;
  1: no, with ``CODE: why`` on standard error, and a line of what to do. The verdict is JSON on
  standard output.
- ``refresh`` brings the mirror up to date from the centre, as the agent's user; it prints which
  manifests this node is to install, as JSON.
- ``commit`` raises the floor once a release runs for good; root's alone, as ``anchor``, which puts
  the two roots of trust there, once: that of images comes with the installation, that of the
  director may be the centre's, which could install nothing by it that the other does not name.
- ``show`` prints what is kept.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.durable import replace_file
from roost_agent.enrolled import STATE_DIR, Enrolled, load
from roost_agent.errors import AgentError, ConfigError
from roost_agent.options import asks_help, options
from roost_agent.ports import Clock, SystemClock
from roost_agent.trust import kept, release, ways, words
from roost_agent.trust.chain import METADATA_URL, Chain, ChainError
from roost_agent.trust.folder import FolderFetcher
from roost_agent.trust.https import HttpsSource, of_centre
from roost_agent.trust.local import FolderSource
from roost_agent.trust.refresh import UNASKED, Paths, refresh
from roost_agent.trust.release import DIRECTOR, IMAGE, Places
from roost_agent.trust.verdict import Verdict
from roost_protocol.errors import ProtocolError
from roost_protocol.release.manifest import MANIFEST_BYTES_MAX
from roost_protocol.topics import split_node_id

MIRROR: Final = "updates/mirror"
KNOWN: Final = "updates/known"
IMAGE_ROOT: Final = "/etc/roost/image-root.json"  # of the installation
ACCEPTED, REFUSED = 0, 1
_USUAL: Final = {"state-dir": STATE_DIR, "trust-dir": kept.FOLDER, "mirror": ""}

HELP: Final = """\
usage: roost-agent verify MODE [OPTION...]

  order    is the order on standard input genuine?  [--state-dir DIR]
  release  may the release whose manifest is on standard input be installed here?
           [--staged yes: it was accepted here before, so when it ends is not asked again]
  refresh  bring the mirror up to date, say what this node is to install
           [--source WORDS | --url https://HOST]  folders, centre, https://HOST, with commas
  commit   raise the floor, as root: a release runs for good  --digest D
  anchor   put the two roots of trust there, once, as root
           [--node SITE.NODE] [--image-root FILE] [--director-root FILE] [--url https://HOST]
  show     say what is kept: floors, the clock's floor, what was accepted

  --state-dir DIR  of the agent       (/var/lib/roost)
  --trust-dir DIR  what root trusts   (/var/lib/roost-trust)
  --mirror DIR     what was fetched   (updates/mirror of the state folder)

Ends with 0: yes; 1: no, and says `CODE: why`, and what to do.
"""

Run = Callable[[Mapping[str, str], Clock], int]


class VerdictSaid(msgspec.Struct, frozen=True, omit_defaults=True):
    """What ``release`` prints."""

    code: str
    text: str
    path: str = ""
    digest: str = ""
    job: str = ""
    counter: int = 0
    not_after_ms: int = 0


def run(argv: list[str], clock: Clock | None = None) -> int:
    """Run one of the modes; return the exit status."""
    known = {
        "release": (_release, {**_USUAL, "staged": "no"}),
        "refresh": (_refresh, {**_USUAL, "url": "", "source": ""}),
        "commit": (_commit, {**_USUAL, "digest": ""}),
        "anchor": (
            _anchor,
            {**_USUAL, "node": "", "image-root": IMAGE_ROOT, "director-root": "", "url": ""},
        ),
        "show": (_show, _USUAL),
    }
    mode, *rest = argv or [""]
    asks_help(argv, HELP)
    if mode not in known:
        raise ConfigError([f"verify {mode or 'what'}: one of order, {', '.join(known)}"])
    act, defaults = known[mode]
    try:
        return act(options(rest, defaults, HELP), clock or SystemClock())
    except OSError as err:
        raise AgentError(f"{err.filename or 'it cannot be written'}: {err.strerror}") from err


def _release(given: Mapping[str, str], clock: Clock) -> int:
    raw = sys.stdin.buffer.read(MANIFEST_BYTES_MAX + 1)
    verdict = release.verify(
        raw, _places(given), release.this_box(), clock.wall_ms(),
        is_staged=_yes(given["staged"], "staged"),
    )  # fmt: skip
    sys.stdout.write(msgspec.json.encode(_said(verdict)).decode() + "\n")
    if verdict.is_accepted:
        return ACCEPTED
    sys.stderr.write(words.complaint(verdict.code, verdict.text))
    return REFUSED


def _refresh(given: Mapping[str, str], clock: Clock) -> int:
    state_dir, places = Path(given["state-dir"]), _places(given)
    node = kept.load(places.folder).node
    asked = ways.sources(given["url"] or given["source"], state_dir, clock)
    paths = Paths(places.folder, state_dir / KNOWN, places.mirror)
    try:
        found = refresh(asked, paths, node, clock.wall_ms())
    except ChainError as err:
        why = _stale(err, paths, node, clock.wall_ms())
        sys.stderr.write(words.complaint(why.code, str(why)))
        return REFUSED
    finally:
        ways.close(asked)
    told = {path: str(file) for path, file in found.manifests.items()}
    said = msgspec.json.encode({"source": found.source, "manifests": told})
    sys.stdout.write(said.decode() + "\n")
    return ACCEPTED


def _stale(err: ChainError, paths: Paths, node: str, now_ms: int) -> ChainError:
    """Return what is to be told: where nobody was reached, what is known may have ended."""
    if err.code not in UNASKED:
        return err
    try:
        refresh([FolderSource(paths.mirror)], paths, node, now_ms)
    except ChainError as old:
        return err if old.code in UNASKED else ChainError(old.code, f"{old}; {err}")
    return err


def _enrolled(state_dir: Path) -> Enrolled:
    known = load(state_dir)
    if known is None:
        raise AgentError(f"{state_dir}: this box is no node yet: roost-agent join makes it one")
    return known


def _commit(given: Mapping[str, str], _clock: Clock) -> int:
    folder = Path(given["trust-dir"])
    kept.save(folder, kept.committed(kept.load(folder), given["digest"]))
    return ACCEPTED


def _anchor(given: Mapping[str, str], clock: Clock) -> int:
    folder, state_dir = Path(given["trust-dir"]), Path(given["state-dir"])
    node = given["node"] or _node_of(_enrolled(state_dir))
    try:
        split_node_id(node)
    except ProtocolError as err:
        raise ConfigError([f"--node {node!r}: {err}"]) from err
    if (folder / kept.NAME).exists():
        raise AgentError(f"{folder}: the roots of trust are there: they are written once")
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    for name, option, file in (
        (IMAGE, "image-root", kept.IMAGE_ROOT),
        (DIRECTOR, "director-root", kept.DIRECTOR_ROOT),
    ):
        raw = (
            release.read_anchor(Path(given[option]))
            if given[option]
            else _first_root(of_centre(_enrolled(state_dir), clock, given["url"]), name)
        )
        Chain(  # or it is refused
            name, anchor=raw, kept=folder / name, fetcher=FolderFetcher(folder),
            now_ms=clock.wall_ms(),
        )  # fmt: skip
        replace_file(folder / file, raw, kept.READABLE)
    kept.save(folder, kept.State(node=node))
    return ACCEPTED


def _node_of(known: Enrolled) -> str:
    return f"{known.facts.site}.{known.facts.node}"


def _first_root(source: HttpsSource, chain: str) -> bytes:
    """Return a root as the centre has it."""
    whole = bytearray()
    try:
        for chunk in source.open(f"{chain}/{METADATA_URL}1.root.json"):
            whole += chunk
            if len(whole) > release.ANCHOR_BYTES_MAX:
                raise AgentError(f"{source.name}: more than {release.ANCHOR_BYTES_MAX} bytes")
    finally:
        source.close()
    return bytes(whole)


def _show(given: Mapping[str, str], _clock: Clock) -> int:
    state = kept.load(Path(given["trust-dir"]))
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(state), indent=1).decode() + "\n")
    return ACCEPTED


def _places(given: Mapping[str, str]) -> Places:
    mirror = Path(given["mirror"]) if given["mirror"] else Path(given["state-dir"]) / MIRROR
    return Places(mirror, Path(given["trust-dir"]))


def _said(verdict: Verdict) -> VerdictSaid:
    counter = 0 if verdict.custom is None else verdict.custom.counter
    return VerdictSaid(
        verdict.code, verdict.text, verdict.path, verdict.digest, verdict.job, counter,
        verdict.not_after_ms,
    )  # fmt: skip


def _yes(word: str, name: str) -> bool:
    if word not in {"yes", "no"}:
        raise ConfigError([f"--{name} {word}: yes or no"])
    return word == "yes"
