"""Samples of simulated nodes: made up, and always the same."""

from roost_agent.sim.measured import LINES, measured
from roost_protocol.codec import VERSION, Decoder, unpack
from roost_protocol.envelope import ItemKind, Lane, Receipt, SamplesAsk
from roost_protocol.samples import Samples, unpacked

_decode = Decoder[Samples](Samples).decode
ASK = SamplesAsk(number=7, since_ms=0, until_ms=86_400_000, step_s=900)


def test_a_day_has_its_rhythm_and_a_node_its_own_level():
    one, other = measured("a.n1", ASK), measured("b.n1", ASK)
    one.check()
    assert (one.steps, len(one.series), one.ask) == (96, len(LINES), 7)
    assert one == measured("a.n1", ASK) != other
    cpu = unpacked(one.series[0].mean)
    assert max(cpu[40:56]) > max(cpu[:8])  # noon and midnight


def test_only_what_is_asked_is_told():
    ask = SamplesAsk(number=7, since_ms=0, until_ms=60_000, step_s=60, series=["cpu", "space|fs=/"])
    assert [each.name for each in measured("a.n1", ask).series] == ["cpu", "space|fs=/"]


def test_a_wish_that_comes_by_both_paths_is_answered_once(rig):
    rig.start()
    receipt = Receipt(
        v=VERSION, node=rig.node.node, lane=Lane.BULK, stream=bytes(16), seq=0,
        central_epoch=rig.centre.epoch, sent_ms=1, samples=ASK,
    )  # fmt: skip
    for path in ("wan1", "wan2"):
        rig.node.hear(path, receipt, rig.clock.now_ms)
    rig.pass_time(1_000)
    told = [
        _decode(unpack(item.body, compressed=item.compressed))
        for item in rig.centre.items
        if item.kind is ItemKind.SAMPLES
    ]
    assert told == [measured(rig.node.node, ASK)]
