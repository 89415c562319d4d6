import pytest

from roost_agent.update.journal import Journal
from roost_agent.update.keeper import Keeper
from roost_agent.update.receipts import Receipts
from roost_protocol.install_receipt import follows, hash_of, read_receipt
from roost_protocol.update import Offer

DIGEST = "0a" * 32


def offer(job):
    return Offer(
        v=1, rollout="b" * 32, job=job * 32, attempt=1, component="app/web", version="2.0",
        digest=DIGEST, size=1, nodes=["lab.n1"], not_before_ms=0, not_after_ms=10,
    )  # fmt: skip


class Clock:
    def wall_ms(self):
        return 1_800_000_000_000


class Box:
    """What runs, and the key."""

    def __init__(self):
        self.fault = None

    async def measure(self):
        return {"app/web": {"version": "2.0", "digest": DIGEST}}

    async def sign(self, body):
        if self.fault is not None:
            raise self.fault
        return b"signed " + body[:1]


@pytest.fixture
def box():
    return Box()


@pytest.fixture
async def made(tmp_path, box):
    (tmp_path / "state.json").write_text('{"v": 1, "node": "lab.n1", "clock_ok_ms": 7}')

    async def again(sign=box.sign):
        keeper = Keeper(Journal(tmp_path / "updates"))
        await keeper.open()
        return Receipts(
            "lab.n1",
            "b" * 32,
            keeper=keeper,
            measure=box.measure,
            sign=sign,
            clock=Clock(),
            trust=tmp_path,
        )

    return again


async def test_receipts_form_a_chain_over_a_restart_and_say_what_runs(made):
    receipts = await made()
    assert receipts.is_missing(offer("a"))
    assert await receipts.make(offer("a"), "succeeded")
    assert not receipts.is_missing(offer("a"))
    first = receipts.newest
    said = read_receipt(first)
    assert (said.counter, said.digest, said.before) == (1_800_000_000, DIGEST, "")
    assert said.clock_ok_ms == 7  # root's word for a clock that nobody keeps
    again = await made()  # the agent was killed
    assert again.newest == first
    assert again.is_missing(offer("c"))
    assert await again.make(offer("c"), "rolled_back")
    fresh = read_receipt(again.newest)
    assert (fresh.counter, fresh.before) == (said.counter + 1, hash_of(first))
    assert follows(fresh, first, "lab.n1") == ""


@pytest.mark.parametrize("fault", [OSError("no key"), ValueError("refused"), TimeoutError()])
async def test_a_key_that_cannot_be_read_leaves_it_to_the_next_start(made, box, fault):
    receipts, box.fault = await made(), fault
    assert not await receipts.make(offer("a"), "succeeded")
    assert receipts.newest is None
    assert receipts.is_missing(offer("a"))
    box.fault = None
    assert await receipts.make(offer("a"), "succeeded")


async def test_a_box_without_an_identity_vouches_for_nothing(made):
    assert not (await made(sign=None)).is_missing(offer("a"))
