"""Public areas of keys that a TPM made: read whole, or told as none."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from roost_agent.enrol.tpm.link import TpmError
from roost_agent.enrol.tpm.template import ATTESTATION, ENDORSEMENTS, key_of
from roost_protocol.tpm import attestation_area


def test_the_key_of_an_area_is_read():
    key = generate_private_key(SECP256R1()).public_key()
    numbers = key.public_numbers()
    assert key_of(attestation_area(numbers.x, numbers.y)) == key


@pytest.mark.parametrize("area", [template for _, template in ENDORSEMENTS])
def test_a_template_is_no_key_yet(area):
    with pytest.raises(TpmError, match="a key that is none"):
        key_of(area)


def test_an_area_that_is_cut_short_is_told():
    with pytest.raises(TpmError, match="less than it should"):
        key_of(ATTESTATION[:-3])
