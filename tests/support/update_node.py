"""One node's updates as processes: the agent's part, the helper, and root's one-shot behind it.

Run as a file it is the agent's part alone, without paths: it takes the offers that lie in its
folder and says a line of JSON wherever a job changes.
"""

import asyncio
import json
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

from install_stage import InstallStage  # noqa: E402 - found by the line before
from program import Program  # noqa: E402 - as above
from releases import SIGNED_MS  # noqa: E402 - as above
from waiting import wait_until  # noqa: E402 - as above

from roost_agent.config import BeatConfig, Config, InventoryConfig, OutboxConfig  # noqa: E402 - as above
from roost_agent.config_apply import told  # noqa: E402 - as above
from roost_agent.config_processes import ProcessesConfig  # noqa: E402 - as above
from roost_agent.config_settings import SettingsConfig  # noqa: E402 - as above
from roost_agent.config_updates import UpdatesConfig  # noqa: E402 - as above
from roost_agent.driver import Driver  # noqa: E402 - as above
from roost_agent.errors import StorageError  # noqa: E402 - as above
from roost_agent.identity import BOOT_ID, Identity  # noqa: E402 - as above
from roost_agent.outbox.spool import Spool  # noqa: E402 - as above
from roost_agent.ports import SystemClock, SystemEntropy  # noqa: E402 - as above
from roost_agent.survey import Instruments  # noqa: E402 - as above
from roost_agent.update.intake import RejectedError  # noqa: E402 - as above
from roost_agent.update.journal import Journal  # noqa: E402 - as above
from roost_agent.update_host import updates_of  # noqa: E402 - as above
from roost_protocol.codec import encode  # noqa: E402 - as above
from roost_protocol.update import Offer  # noqa: E402 - as above

assert SIGNED_MS
HOUR_MS = 3_600_000
ENDED = ("committed", "rolled_back", "failed", "canceled")
_SYSTEMCTL = """#!/bin/sh
# start --no-block -- roost-install@VERB-DIGEST.service: as the unit, begun anew where it was killed
for word; do last=$word; done
about=${{last#roost-install@}}; about=${{about%.service}}
echo "$*" >>{folder}/systemctl.log
case $* in
*" reboot") exit 0 ;;
*) setsid sh -c 'for turn in 1 2 3 4 5; do {python} -m roost_agent.install --root={folder}/root \\
  --state={folder}/state --requests={folder}/requests --trust={folder}/trust \\
  --mirror={folder}/agent/updates/mirror --systemctl= run '$about' && exit; done' \\
  </dev/null >>{folder}/one-shot.log 2>&1 & ;;
esac
"""


class UpdateNode(Program):
    """One node, and the repository that its releases come from."""

    def __init__(self, folder: Path, *, verify_s: int = 10, bytes_max: int = 0) -> None:
        super().__init__(folder / "agent.log")
        self.folder = folder
        now_ms = SystemClock().wall_ms()
        self.stage = InstallStage(folder, repository=folder / "repository", now_ms=now_ms)
        self.state_dir = folder / "agent"
        for name in ("agent", "offers", "health", "helper", "told"):
            (folder / name).mkdir()
        script = folder / "systemctl"
        script.write_text(_SYSTEMCTL.format(python=sys.executable, folder=folder))
        script.chmod(0o755)
        (folder / "verify_s").write_text(str(verify_s))
        (folder / "bytes_max").write_text(str(bytes_max))
        self.helper = Program(folder / "helper.log")

    def start(self) -> None:
        """Run helper and agent's part."""
        if not self.helper.is_running():
            socket = self.folder / "helper.sock"
            socket.unlink(missing_ok=True)
            self.helper._launch(
                sys.executable, "-m", "roost_agent.helper", f"--socket={socket}", "--user=0",
                f"--state={self.folder / 'helper'}", f"--systemctl={self.folder / 'systemctl'}",
            )  # fmt: skip
            wait_until(socket.is_socket, "the helper listens")
        self._launch(sys.executable, str(Path(__file__).resolve()), str(self.folder))

    def stop(self) -> None:
        """End both."""
        self.kill()
        self.helper.kill()

    def offer(self, release: str, version: str, job: str, **more: object) -> None:
        """Let the node take an offer."""
        base = {
            "v": 1, "rollout": "b" * 32, "job": job, "attempt": 1, "component": "app/demo",
            "version": version, "digest": release, "size": 1, "nodes": ["lab.n1"],
            "not_before_ms": 0, "not_after_ms": SystemClock().wall_ms() + 3_600_000,
        }  # fmt: skip
        raw = encode(Offer(**(base | more)))
        path = self.folder / "offers" / f"{job}.offer"
        path.with_suffix(".new").write_bytes(raw)
        path.with_suffix(".new").rename(path)

    def applied(self, **sections: dict) -> None:
        """Let root tell that a profile's settings are applied."""
        told.write(self.folder / "told", told.Told(applied=sections))

    def alarm(self, word: str) -> None:
        """Raise (``raise``) or clear (``clear``) that a disk is ill."""
        path = self.folder / "offers" / f"{word}.alarm"
        path.touch()
        wait_until(lambda: not path.exists(), f"the agent does: {word}")

    def cancel(self, job: str) -> None:
        """Let the node give a job up."""
        (self.folder / "offers" / f"{job}.cancel").touch()

    @property
    def said(self) -> list[dict]:
        """What the agent's part has said."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{")]

    def steps(self, job: str) -> list[str]:
        """The steps that the journal has of a job."""
        journal = Journal(self.state_dir / "updates")
        journal.open_to_read()
        try:
            return [each.step for each in journal.lines() if each.job == job]
        finally:
            journal.close()

    def ended(self, job: str, seconds: float = 60) -> dict:
        """Wait until a job has ended; return the last report of it."""

        def last() -> dict | None:
            mine = [each for each in self.said if each.get("job") == job]
            return mine[-1] if mine and mine[-1]["state"] in ENDED else None

        wait_until(last, f"job {job} ends: {self.log}", seconds=seconds)
        found = last()
        assert found is not None
        return found

    def reached(self, job: str, step: str, seconds: float = 60) -> None:
        """Wait until the journal has a step of a job."""

        def is_there() -> bool:
            try:
                return step in self.steps(job)
            except StorageError:  # it is not made yet
                return False

        wait_until(is_there, f"job {job} reaches {step}: {self.log}", seconds=seconds)


async def _act(folder: Path) -> None:
    clock, entropy = SystemClock(), SystemEntropy()
    config = Config(
        site="lab", node="n1", state_dir=str(folder / "agent"),
        settings=SettingsConfig(
            helper=str(folder / "helper.sock"), told=str(folder / "told")
        ),
        processes=ProcessesConfig(health=str(folder / "health")),
        beat=BeatConfig(200, 200), outbox=OutboxConfig(1 << 24, HOUR_MS, 1 << 20, HOUR_MS),
        inventory=InventoryConfig(HOUR_MS, HOUR_MS),
        updates=UpdatesConfig(
            source=str(folder / "repository"), trust=str(folder / "trust"),
            installed=str(folder / "state"), requests=str(folder / "requests"),
            root=str(folder / "root"), inhibit=str(folder / "inhibit.d"),
            verify_s=int((folder / "verify_s").read_text()),
            bytes_max=int((folder / "bytes_max").read_text()),
        ),
    )  # fmt: skip
    spool = Spool(folder / "agent", config.outbox, clock=clock, entropy=entropy)
    boot_id = _boot_id(folder)
    driver = Driver(
        config, Identity("lab.n1", boot_id, 1), spool, Instruments(clock, entropy, _nothing)
    )
    updates = updates_of(driver)
    assert updates is not None
    await driver.open()
    async with asyncio.TaskGroup() as group:
        group.create_task(driver.deliver())
        group.create_task(driver.alarms.run())
        group.create_task(driver.health.run())
        group.create_task(updates.run())
        group.create_task(_tell(folder))
        while True:
            for path in sorted((folder / "offers").glob("*.offer")):
                raw = path.read_bytes()
                try:
                    said = await updates.take(path.stem, 1, raw)
                except RejectedError as err:
                    said = f"{err.code}: {err}"
                print(json.dumps({"offer": path.stem, "answer": said}), flush=True)
                path.unlink()
            for path in sorted((folder / "offers").glob("*.alarm")):
                if path.stem == "raise":
                    driver.alarms.raise_condition("100.801", {"reason": "it ends"}, "disk=sda")
                else:
                    driver.alarms.clear_condition("100.801", "disk=sda")
                path.unlink()
            for path in sorted((folder / "offers").glob("*.cancel")):
                try:
                    said = await updates.cancel(path.stem)
                except RejectedError as err:
                    said = f"{err.code}: {err}"
                print(json.dumps({"cancel": path.stem, "answer": said}), flush=True)
                path.unlink()
            await asyncio.sleep(0.05)


async def _tell(folder: Path) -> None:
    """Print the reports as they stand in the outbox, for the centre."""
    import sqlite3  # noqa: PLC0415 - of this part alone

    from roost_protocol.codec import Decoder, unpack  # noqa: PLC0415 - as above
    from roost_protocol.update import JobReport, SoftwareReport  # noqa: PLC0415 - as above

    kinds = {
        "update": Decoder[JobReport](JobReport),
        "software": Decoder[SoftwareReport](SoftwareReport),
    }
    last = 0
    while True:
        with sqlite3.connect(f"file:{folder}/agent/outbox.db?mode=ro", uri=True) as base:
            query = "SELECT seq, kind, body, compressed FROM item WHERE lane='bulk' AND seq > ?"
            rows = base.execute(f"{query} ORDER BY seq", [last]).fetchall()
        base.close()
        for seq, kind, body, compressed in rows:
            last = seq
            if kind in kinds:
                import msgspec  # noqa: PLC0415 - as above

                found = kinds[kind].decode(unpack(body, compressed=bool(compressed)))
                print(json.dumps(msgspec.to_builtins(found)), flush=True)
        await asyncio.sleep(0.1)


def _boot_id(folder: Path) -> bytes:
    """Return the kernel's, or the one that a test says."""
    said = folder / "boot_id"
    path = said if said.exists() else Path("/") / BOOT_ID
    return bytes.fromhex(path.read_text().strip().replace("-", ""))


async def _nothing(*_: object) -> None:
    raise OSError("there is no hardware here")


if __name__ == "__main__":
    asyncio.run(_act(Path(sys.argv[1])))
