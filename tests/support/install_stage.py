"""A machine as a tree, signed releases for it in a mirror, and root's one-shot over both."""

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
from backports.zstd import compress
from releases import custom, digest
from tuf_stage import NOW_MS, Stage

from roost_agent.durable import replace_file
from roost_agent.install.places import Given
from roost_agent.install.program import Program
from roost_agent.trust import kept
from roost_agent.trust.blobs import url_of
from roost_agent.update import installed
from roost_agent.update.request_file import InstallRequest, request_file
from roost_protocol.release.target import target_path

JOB = "a" * 32
NODE = "lab.n1"


class Clock:
    """A clock that says what the test says."""

    def __init__(self, ms: int = NOW_MS) -> None:
        self.ms = ms

    def wall_ms(self) -> int:
        return self.ms

    def boot_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000


class InstallStage:
    """Everything below one folder.

    Args:
        folder: empty.
        repository: where what is signed lies; None: in the mirror at once, as if it was fetched.
    """

    def __init__(
        self, folder: Path, *, repository: Path | None = None, now_ms: int = NOW_MS
    ) -> None:
        self._at(folder, repository, now_ms)
        self.signers = Stage(self.repository, now_ms=now_ms)
        for each in (self.given.root, self.given.state, self.given.requests, self.given.trust):
            each.mkdir()
        for name, repo in (
            (kept.IMAGE_ROOT, self.signers.image),
            (kept.DIRECTOR_ROOT, self.signers.director),
        ):
            replace_file(self.given.trust / name, repo.anchor, kept.READABLE)
        kept.save(self.given.trust, kept.State(node=NODE))
        self.turn = 0

    @classmethod
    def again(cls, folder: Path) -> "InstallStage":
        """Return what stands in a copy of a folder; nothing more can be signed for it."""
        made = cls.__new__(cls)
        made._at(folder, None, NOW_MS)
        return made

    def _at(self, folder: Path, repository: Path | None, now_ms: int) -> None:
        self.folder = folder
        self.mirror = folder / "mirror"
        self.repository = repository or self.mirror
        self.clock = Clock(now_ms)
        self.given = Given(
            folder / "root", folder / "state", folder / "requests", folder / "trust", self.mirror,
            "", self.clock,
        )  # fmt: skip

    def use_systemctl(self, program: str) -> None:
        """Let a program stand for the service manager's."""
        self.given = dataclasses.replace(self.given, systemctl=program)

    def release(
        self, version: str, files: dict[str, bytes], *, modes: dict[str, int] | None = None,
        job: str = JOB, **more: object,
    ) -> str:  # fmt: skip
        """Sign a release of these files and assign it; return its digest."""
        self.turn += 1
        component = str(more.pop("component", "app/demo"))
        kind = str(more.pop("kind", "files"))
        entries = []
        for path, content in files.items():
            frame = compress(content)
            blob = digest(frame)
            where = self.repository / url_of(blob)
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_bytes(frame)
            mode = (modes or {}).get(path, 0o644)
            entries.append(
                {
                    "path": path, "mode": mode, "size": len(content), "sha256": digest(content),
                    "blob": blob, "blob_size": len(frame),
                }
            )  # fmt: skip
        size = sum(map(len, files.values()))
        whole = {
            "format": 1, "component": component, "version": version,
            "release_counter": self.turn, "installer": kind, "size_unpacked": size,
            "files": entries,
        }  # fmt: skip
        raw = json.dumps(whole | more).encode()
        said = custom(component=component, version=version, counter=self.turn, size_unpacked=size)
        self.signers.sign_release(said, raw)
        same = [
            each
            for each in self.signers.document.assignments
            if each.target.rpartition("/")[0] != component
        ]
        self.signers.document = msgspec.structs.replace(self.signers.document, assignments=same)
        self.signers.assign(said, raw, job=job)
        self.signers.publish()
        manifest = self.repository / "manifests" / target_path(component, version)
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_bytes(raw)
        return digest(raw)

    def ask(
        self, verb: str, release: str, version: str, *, attempt: int = 1,
        component: str = "app/demo",
    ) -> installed.Result | None:  # fmt: skip
        """Have root do a verb in this process; return what it told."""
        key = f"{JOB}.{attempt}.{verb}"
        self.put(verb, release, InstallRequest(1, key, component, version))
        Program(self.given).run(verb, release)
        return self.installed.result(key)

    def put(self, verb: str, release: str, request: InstallRequest) -> None:
        """Put a request down as the agent does."""
        path = request_file(self.given.requests, verb, release)
        path.write_bytes(msgspec.json.encode(request))

    def run(self, verb: str, release: str, *before: str) -> subprocess.CompletedProcess[bytes]:
        """Run the program as a process, behind other words."""
        given = self.given
        words = [sys.executable, "-m", "roost_agent.install", f"--root={given.root}"]
        words += [f"--state={given.state}", f"--requests={given.requests}"]
        words += [f"--trust={given.trust}", f"--mirror={given.mirror}", "--systemctl="]
        return subprocess.run(
            [*before, *words, "run", f"{verb}-{release}"],
            capture_output=True, check=False, timeout=120, env=os.environ,
        )  # fmt: skip

    @property
    def installed(self) -> installed.Installed:
        """What root keeps."""
        return installed.read(self.given.state)

    def current(self, component: str = "app/demo") -> dict[str, bytes]:
        """What runs: the files behind the link; empty: nothing."""
        return tree_of(self.given.root / "opt/roost" / component / "current")


def tree_of(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder."""
    if not folder.is_dir():
        return {}
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
