"""What nodes measured: the hourly word joins the day, an answer goes to who asked."""

from roost_central.storage import dead_letters, node_samples
from roost_protocol.codec import VERSION, encode
from roost_protocol.envelope import Item, ItemKind, Lane, Report, SamplesAsk
from roost_protocol.samples import Samples, Series, packed, unpacked
from roost_protocol.topics import NodeTopics

NODE = "lab.n1"
TOPICS = NodeTopics.of(NODE)


def report(prev, *bodies):
    items = [Item(prev + 1 + at, ItemKind.SAMPLES, 1, body) for at, body in enumerate(bodies)]
    return encode(
        Report(v=VERSION, node=NODE, boot_id=b"b" * 16, incarnation=1, path="wan1", sent_ms=5,
               lane=Lane.BULK, stream=b"s" * 16, prev=prev, items=items)
    )  # fmt: skip


def said(first, *values, ask=0, kind="cpu"):
    raw = packed(values)
    series = [Series(kind, "", raw, raw, raw)]
    return encode(
        Samples(v=VERSION, ask=ask, since_ms=first * 600_000, step_s=600, steps=len(values),
                series=series)
    )  # fmt: skip


async def test_hourly_words_become_a_day_and_one_without_sense_a_dead_letter(run_centre):
    async with run_centre() as centre:
        bodies = [said(0, 1, 2), said(2, 3), said(3, 4, kind="mood")]
        centre.link.say(TOPICS.report, report(0, *bodies))
        await centre.until(lambda: centre.link.receipts)
        centre.link.say(TOPICS.report, report(3, said(3, 4)))
        await centre.until(lambda: centre.link.receipts[-1][1].seq == 4)
        async with centre.database.read() as connection:
            day = await node_samples.find(connection, NODE)
            letters = await dead_letters.page(connection)
        assert unpacked(day.samples.series[0].mean) == (1, 2, 3, 4)
        assert [letter.code for letter in letters] == ["samples"]


async def test_an_answer_is_handed_on_and_not_kept(run_centre):
    async with run_centre() as centre:
        taken = []
        centre.service.on_samples(lambda node, answer: taken.append((node, answer.ask)))
        centre.link.say(TOPICS.report, report(0, said(0, 1, ask=9)))
        await centre.until(lambda: taken)
        assert taken == [(NODE, 9)]
        async with centre.database.read() as connection:
            assert await node_samples.find(connection, NODE) is None


async def test_a_question_is_a_receipt_of_nothing(run_centre):
    async with run_centre() as centre:
        ask = SamplesAsk(number=3, since_ms=0, until_ms=60_000, step_s=60)
        assert centre.service.ask_samples(NODE, ask)
        ((topic, receipt),) = centre.link.receipts
        assert topic == TOPICS.receipt
        assert (receipt.samples, receipt.stream, receipt.seq) == (ask, bytes(16), 0)
        centre.link.takes = False
        assert not centre.service.ask_samples(NODE, ask)
