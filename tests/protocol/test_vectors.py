"""The wire against bytes that the reference msgpack package wrote."""

import json
from pathlib import Path
from typing import Any

import msgpack
import msgspec
import pytest

from roost_protocol.alarm import Alarm, AlarmSet, Event
from roost_protocol.beat import Beat
from roost_protocol.bmc_report import BmcReport
from roost_protocol.codec import Decoder, encode
from roost_protocol.config_report import ConfigReport
from roost_protocol.envelope import Gone, Receipt, Report
from roost_protocol.errors import ProtocolError
from roost_protocol.host_report import HostReport
from roost_protocol.inventory import InventoryDocument
from roost_protocol.samples import Samples
from roost_protocol.update import JobReport, Offer, SoftwareReport

VECTORS = Path(__file__).parent / "vectors"
KINDS = {
    "beat": Beat,
    "beat-config": Beat,
    "report": Report,
    "gone": Gone,
    "receipt": Receipt,
    "receipt-samples": Receipt,
    "inventory": InventoryDocument,
    "alarm": Alarm,
    "alarm-set": AlarmSet,
    "event": Event,
    "config": ConfigReport,
    "host": HostReport,
    "bmc": BmcReport,
    "update-offer": Offer,
    "update": JobReport,
    "software": SoftwareReport,
    "samples": Samples,
}


def load(name: str) -> list[Any]:
    vectors = json.loads((VECTORS / f"{name}.json").read_text())["vectors"]
    return [pytest.param(name, vector, id=f"{name}: {vector['name']}") for vector in vectors]


def as_json(value: Any) -> Any:
    """Give bytes the form they have in the files: {"hex": ".."}."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, dict):
        return {key: as_json(entry) for key, entry in value.items()}
    return [as_json(entry) for entry in value] if isinstance(value, list | tuple) else value


ACCEPTED = [vector for name in KINDS for vector in load(name)]
CANONICAL = [param for param in ACCEPTED if param.values[1].get("canonical", True)]


@pytest.mark.parametrize(("kind", "vector"), ACCEPTED)
def test_the_oracle_reads_the_vector_as_its_document(kind, vector):
    assert as_json(msgpack.unpackb(bytes.fromhex(vector["wire"]))) == vector["document"]


@pytest.mark.parametrize(("kind", "vector"), ACCEPTED)
def test_a_vector_is_accepted(kind, vector):
    assert Decoder(KINDS[kind]).decode(bytes.fromhex(vector["wire"]))


@pytest.mark.parametrize(("kind", "vector"), CANONICAL)
def test_a_canonical_vector_is_decoded_and_encoded_to_the_same_bytes(kind, vector):
    wire = bytes.fromhex(vector["wire"])
    assert encode(Decoder(KINDS[kind]).decode(wire)) == wire


@pytest.mark.parametrize(("kind", "vector"), CANONICAL)
def test_no_value_of_a_vector_is_lost(kind, vector):
    message = Decoder(KINDS[kind]).decode(bytes.fromhex(vector["wire"]))
    assert as_json(msgspec.to_builtins(message, builtin_types=(bytes,))) == vector["document"]


@pytest.mark.parametrize(("kind", "vector"), load("refused"))
def test_bytes_that_must_be_refused_are_refused_with_their_code(kind, vector):
    with pytest.raises(ProtocolError) as refused:
        Decoder(Beat).decode(bytes.fromhex(vector["wire"]))
    assert refused.value.code == vector["code"]
