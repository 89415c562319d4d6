"""Root's one-shot over a tree of files: jobs as an agent writes them, signed as a centre does."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgpack
from machine_tree import contents, machine_tree
from orders import GENERATION, NODE, NOW_MS, OrderPen

from roost_agent.config_apply import state
from roost_agent.config_apply.job_file import Job, job_file
from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.program import Given, Program
from roost_protocol.codec import encode
from roost_protocol.order import ORDER_KEY_DOMAIN, OrderKey, body_digest

ONE = {"kernel": {"sysctl": {"vm.swappiness": 10}}, "time": {"timezone": "Europe/Berlin"}}
TWO = {
    "kernel": {"sysctl": {"vm.swappiness": 20, "vm.dirty_ratio": 30}},
    "dns": {"servers": ["192.0.2.53"]},
    "memory": {"hugepages": {"2M": {"node0": 64}}},
}
RESTARTS = {"time": {"servers": ["192.0.2.123"]}}  # a service of the node


def window(*, opens_in_h: int, minutes: int = 60) -> dict:
    """Return an update window that opens so many hours from now; -n: n hours ago."""
    start = datetime.now(UTC) + timedelta(hours=opens_in_h)
    return {"start": f"{start:%H:%M}", "minutes": minutes}


class ConfigRoot:
    """One machine with its root part; nothing here is the product's.

    Args:
        folder: of everything.
        more: files of the machine, None: without one.
    """

    def __init__(self, folder: Path, more: dict[str, str | None] | None = None) -> None:
        self.tree = machine_tree(folder / "tree", more)
        self.given = Given(
            str(self.tree), folder / "state", folder / "jobs", folder / "told", systemctl=""
        )
        for each in (self.given.state, self.given.jobs, self.given.told):
            each.mkdir(exist_ok=True)
        self.pen = OrderPen()
        self.seq = NOW_MS
        self.keys: tuple[OrderKey, ...] = ()  # that the agent brings besides the writer's
        self.vouches: dict[str, bytes] = {}

    def job(self, sections: dict, *, pen: OrderPen | None = None, **changes: object) -> str:
        """Write the job of a document; return its digest."""
        body = msgpack.packb(_sorted(sections))
        return self.job_of(body, body_digest(body), pen=pen, **changes)

    def job_of(
        self, body: bytes, digest: str, *, pen: OrderPen | None = None, **changes: object
    ) -> str:
        """Write the job of any bytes."""
        writer = pen or self.pen
        self.seq += 1
        order = {
            "verb": "configure",
            "given": {"desired": str(self.seq - NOW_MS), "digest": digest},
            "seq": self.seq,
            "node": NODE,
            "generation": GENERATION,
        }
        raw = writer.write(**(order | changes))
        signature = writer.key.sign(b"roost order 1\n" + raw)
        message = {"body": body, "key_id": writer.key_id, "order": raw, "signature": signature}
        raw = msgpack.packb(_sorted(message | {"v": 1}))
        its = () if any(k.key == writer.public for k in self.keys) else (writer.known(),)
        job = Job(1, raw, (*self.keys, *its), self.vouches)
        job_file(self.given.jobs, digest).write_bytes(encode(job))
        return digest

    def apply(self, sections: dict, *, machine: Machine | None = None, **changes: object) -> dict:
        """Have a document applied; return what root told."""
        Program(self.given, machine).apply(self.job(sections, **changes))
        return self.told

    def vouch(self, by: OrderPen, pen: OrderPen) -> None:
        """Let one key say that another one follows it, as the signer does."""
        self.vouches[pen.key_id] = by.key.sign(ORDER_KEY_DOMAIN + pen.public)

    @property
    def told(self) -> dict:
        """What root told last."""
        return json.loads((self.given.told / "told.json").read_text())

    @property
    def state(self) -> state.State:
        """What root keeps."""
        return state.load(self.given.state)

    @property
    def files(self) -> dict[str, str]:
        """The machine's files."""
        return contents(self.tree)


def _sorted(tree: object) -> object:
    if not isinstance(tree, dict):
        return tree
    return {key: _sorted(tree[key]) for key in sorted(tree)}
