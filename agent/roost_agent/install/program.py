"""``roost-install``: one verb about one release, as root, and what came of it told by its key.

One at a time, under a lock. A request that was answered is not carried out again; one that was
interrupted is, from its beginning: each part of it may come again (updates.md 9).
"""

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from roost_agent.durable import replace_file
from roost_agent.install import contract, trees
from roost_agent.install.calling import NotDoneError, call
from roost_agent.install.contract import Answer, Exit
from roost_agent.install.kinds import Kind, KindError, kind_of, place
from roost_agent.install.places import Given, locked, request_of
from roost_agent.trust import kept, release
from roost_agent.trust.folder import open_below
from roost_agent.trust.kept import KeptError
from roost_agent.trust.release import Places
from roost_agent.trust.unpack import UnpackError
from roost_agent.update import installed as told
from roost_agent.update import request_file
from roost_agent.update.installed import Component, Installed, Release, Result
from roost_agent.update.request_file import InstallRequest
from roost_protocol.errors import ProtocolError
from roost_protocol.release.manifest import MANIFEST_BYTES_MAX, Manifest, decode, digest
from roost_protocol.release.target import target_path
from roost_protocol.remedy import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

DONE: Final = 0
READABLE: Final = 0o644  # nothing of it is secret
MANIFESTS: Final = "manifests"


@dataclass(frozen=True, slots=True)
class Work:
    """One request, read: the release by its digest, and where it stands."""

    request: InstallRequest
    digest: str
    place: Path

    @property
    def component(self) -> str:
        """Of the release."""
        return self.request.component


class Program:
    """Root's hands."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._installed = Installed()
        self._verbs: dict[str, Callable[[Work], Answer]] = {
            "stage": self._stage,
            "activate": self._activate,
            "confirm": self._confirm,
            "rollback": self._rollback,
            "cleanup": self._cleanup,
        }

    def run(self, verb: str, release_digest: str) -> int:
        """Carry a request out; return the exit status.

        Raises:
            OSError, ValueError: root's journal cannot be read or written.
        """
        with locked(self._given.state):
            self._installed = told.read(self._given.state)
            try:
                work = self._work(verb, release_digest)
            except NotDoneError as err:
                say(f"{verb} {release_digest[:12]}: {err.code}: {err}")
                return DONE  # there is no key that anybody waits for
            key = work.request.key
            before = self._installed.result(key)
            if before is not None and before.word != "running":
                return DONE
            result = Result(key, verb, release_digest, "running", at_ms=self._given.clock.wall_ms())
            self._tell(result)
            self._tell(self._ended(work, result))
        return DONE

    def _ended(self, work: Work, result: Result) -> Result:
        try:
            answer = self._verbs[result.verb](work)
        except NotDoneError as err:
            say(f"{result.verb} {work.component} {work.digest[:12]}: {err.code}: {err}")
            return replace(result, word="failed", code=err.code, text=_cut(str(err)))
        say(f"{result.verb} {work.component} {work.digest[:12]}: done")
        is_boot = answer.exit is Exit.REBOOT
        return replace(result, word="done", text=answer.text, reboot=is_boot)

    def _stage(self, work: Work) -> Answer:
        """Judge a release by both chains, and put its files beside what runs."""
        raw, manifest = self._judged(work, is_staged=False)
        here = self._installed.component(work.component)
        if here.trial is not None and here.trial.digest != work.digest:
            text = f"{work.component} {here.trial.version} is on trial: it is committed or undone"
            raise NotDoneError(Refusal.BUSY, f"{text} before another one comes")
        kind = self._kind(manifest.installer, work)
        fresh = Release(manifest.version, work.digest, kind.name)
        self._call(kind, "precheck", work, fresh)
        if here.running is None or here.running.digest != work.digest:
            self._put(work, raw, manifest)
        answer = self._call(kind, "stage", work, fresh)
        self._keep(work, replace(here, staged=fresh))
        return answer

    def _activate(self, work: Work) -> Answer:
        """Judge it again, then let it run; from the journal on it is on trial."""
        here = self._installed.component(work.component)
        fresh = here.staged or here.trial
        if fresh is None or fresh.digest != work.digest:
            raise NotDoneError(
                Refusal.STAGED, f"{work.component} {work.digest[:12]} is not staged here"
            )
        self._judged(work, is_staged=True)
        kind = self._kind(fresh.kind, work)
        self._keep(work, replace(here, staged=None, trial=fresh))
        installed = self._call(kind, "install", work, fresh)
        active = self._call(kind, "activate", work, fresh)
        return installed if installed.exit is Exit.REBOOT else active

    def _confirm(self, work: Work) -> Answer:
        """Let it run for good: its signed floor counts, and what ran before is kept."""
        here = self._installed.component(work.component)
        if here.running is not None and here.running.digest == work.digest and not here.trial:
            return Answer(Exit.OK)
        if here.trial is None or here.trial.digest != work.digest:
            text = f"{work.component} {work.digest[:12]} is not on trial here"
            raise NotDoneError(Refusal.TRIAL, text)
        answer = self._call(self._kind(here.trial.kind, work), "commit", work, here.trial)
        try:
            folder = self._given.trust
            kept.save(folder, kept.committed(kept.load(folder), work.digest))
        except (KeptError, OSError) as err:
            raise NotDoneError(Refusal.TRUST, str(err)) from err
        before = here.running
        if before is not None and before.digest == work.digest:
            before = here.previous
        self._keep(work, Component(running=here.trial, previous=before))
        return answer

    def _rollback(self, work: Work) -> Answer:
        """Let run again what is committed."""
        here = self._installed.component(work.component)
        if here.trial is None or here.trial.digest != work.digest:
            return Answer(Exit.OK, "nothing of it was touched")
        kind = self._kind(here.trial.kind, work)
        answer = self._call(kind, "rollback", work, here.trial)
        if answer.exit is not Exit.REBOOT:
            self._call(kind, "verify-rollback", work, here.trial)
        self._keep(work, replace(here, trial=None))
        return answer

    def _cleanup(self, work: Work) -> Answer:
        """Leave what runs and what ran before it."""
        here = self._installed.component(work.component)
        mine = [here.trial, here.staged, here.running, here.previous]
        fresh = next((each for each in mine if each and each.digest == work.digest), None)
        answer = Answer(Exit.OK)
        if fresh is not None:
            answer = self._call(self._kind(fresh.kind, work), "cleanup", work, fresh)
        wanted = [each.digest for each in (here.trial, here.running, here.previous) if each]
        try:
            trees.forget(work.place, wanted)
        except OSError as err:
            raise NotDoneError(Refusal.DISK, f"{err.filename}: {err.strerror}") from err
        self._keep(work, replace(here, staged=None))
        return answer

    def _judged(self, work: Work, *, is_staged: bool) -> tuple[bytes, Manifest]:
        """Return a release's manifest, once both chains of trust name it for this node."""
        request, given = work.request, self._given
        try:
            path = target_path(request.component, request.version)
            handle = open_below(given.mirror, f"{MANIFESTS}/{path}")
            with os.fdopen(handle, "rb") as stream:
                raw = stream.read(MANIFEST_BYTES_MAX + 1)
            manifest = decode(raw)
        except (ProtocolError, OSError, ValueError) as err:
            raise NotDoneError(Refusal.MANIFEST, f"the manifest cannot be read: {err}") from err
        if digest(raw) != work.digest:
            raise NotDoneError(
                Refusal.MANIFEST, f"{path} is {digest(raw)[:12]}, not what was asked for"
            )
        if (manifest.component, manifest.version) != (request.component, request.version):
            raise NotDoneError(Refusal.MANIFEST, f"{path} is the manifest of another release")
        try:
            verdict = release.verify(
                raw, Places(given.mirror, given.trust), release.this_box(),
                given.clock.wall_ms(), is_staged=is_staged,
            )  # fmt: skip
        except (KeptError, OSError) as err:
            raise NotDoneError(Refusal.TRUST, str(err)) from err
        if not verdict.is_accepted:
            raise NotDoneError(Refusal(verdict.code), verdict.text)
        return raw, manifest

    def _put(self, work: Work, raw: bytes, manifest: Manifest) -> None:
        try:
            trees.put(work.place, work.digest, raw, manifest, self._given.mirror)
        except trees.NoSpaceError as err:
            raise NotDoneError(Refusal.SPACE, str(err)) from err
        except UnpackError as err:
            raise NotDoneError(Refusal.UNPACK, str(err)) from err
        except OSError as err:
            raise NotDoneError(
                Refusal.DISK, f"{err.filename or work.place}: {err.strerror}"
            ) from err

    def _kind(self, name: str, work: Work) -> Kind:
        try:
            return kind_of(name, work.component, self._installed, self._given.root)
        except KindError as err:
            raise NotDoneError(Refusal.KIND, str(err)) from err

    def _call(self, kind: Kind, verb: str, work: Work, fresh: Release) -> Answer:
        before = self._installed.component(work.component).running
        return call(kind, verb, request_of(work.component, fresh, before, self._given), self._given)

    def _keep(self, work: Work, here: Component) -> None:
        """Write what there is of a component; it is on the disk then."""
        components = {**self._installed.components, work.component: here}
        if here == Component():
            del components[work.component]
        self._save(replace(self._installed, components=components))

    def _tell(self, result: Result) -> None:
        others = [each for each in self._installed.results if each.key != result.key]
        results = (*others, result)[-told.RESULTS_MAX :]
        self._save(replace(self._installed, results=results))

    def _save(self, fresh: Installed) -> None:
        content = msgspec.json.format(msgspec.json.encode(fresh), indent=1)
        replace_file(self._given.state / told.NAME, content, READABLE)
        self._installed = fresh

    def _work(self, verb: str, release_digest: str) -> Work:
        path = request_file.request_file(self._given.requests, verb, release_digest)
        request = _request(path)
        try:
            target_path(request.component, request.version)
        except ProtocolError as err:
            raise NotDoneError(Refusal.REQUEST, str(err)) from err
        return Work(request, release_digest, place(self._given.root, request.component))


def _request(path: Path) -> InstallRequest:
    """Return what the agent put down; its folder is the agent's, so no link is followed."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(path, flags), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise NotDoneError(Refusal.REQUEST, f"{path}: no plain file")
            raw = stream.read(request_file.REQUEST_BYTES_MAX + 1)
        return _requests.decode(raw)
    except OSError as err:
        raise NotDoneError(Refusal.REQUEST, f"{path}: {err.strerror}") from err
    except (msgspec.MsgspecError, UnicodeDecodeError) as err:
        raise NotDoneError(Refusal.REQUEST, f"{path}: {err}") from err


_requests: Final = msgspec.json.Decoder(InstallRequest)


def _cut(text: str) -> str:
    return text[: contract.TEXT_CHARS_MAX]


def say(line: str) -> None:
    """Write one line for the journal."""
    sys.stderr.write(f"{line.encode(errors='replace').decode()}\n")
    sys.stderr.flush()
