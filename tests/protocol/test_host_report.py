"""What a node says of its processes: bounded, and nothing that it need not say."""

import pytest

from roost_protocol.codec import Decoder, encode
from roost_protocol.errors import ProtocolError
from roost_protocol.host_report import HostReport, ProcessReport, ProcessState
from roost_protocol.limits import HOST_PROCESSES_MAX, MESSAGE_BYTES_MAX

reports = Decoder[HostReport](HostReport)


def process(name="pump", **said):
    given = {"state": ProcessState.RUNNING, "mode": "passive", "severity": "minor", "since_ms": 1}
    return ProcessReport(name=name, **(given | said))


def test_the_most_that_a_node_may_say_fits_into_a_message():
    long = {"reason": "\N{SNOWMAN}" * 85, "file": "x" * 255, "pid": 2**22, "restarts": 2**40}
    rows = [process(f"{number:064}", **long) for number in range(HOST_PROCESSES_MAX)]
    wire = encode(HostReport(v=1, processes=rows, faults=["x" * 255] * 16))
    assert len(wire) < MESSAGE_BYTES_MAX / 2
    assert len(reports.decode(wire).processes) == HOST_PROCESSES_MAX


@pytest.mark.parametrize(
    "report",
    [
        HostReport(v=1, processes=[process()] * (HOST_PROCESSES_MAX + 1)),
        HostReport(v=1, processes=[process("x" * 65)]),
        HostReport(v=1, processes=[process(reason="x" * 256)]),
        HostReport(v=1, faults=["x"] * 17),
        HostReport(v=1, degrade={str(each): "major" for each in range(17)}),
    ],
)
def test_what_is_past_a_bound_is_refused(report):
    with pytest.raises(ProtocolError):
        reports.decode(encode(report))
