"""Public areas and names, as a TPM writes them."""

from roost_protocol.tpm import attestation_area, name_of, node_key_area, sized

X, Y = 0x1234, 0x5678


def test_a_key_has_the_area_that_a_tpm_writes():
    """TPMT_PUBLIC of an emulated TPM's attestation key, but for its point."""
    point = "0020" + f"{X:064x}" + "0020" + f"{Y:064x}"
    assert attestation_area(X, Y).hex() == f"0023000b00050472000000100018000b00030010{point}"
    assert node_key_area(X, Y).hex() == f"0023000b00040440000000100010000300 10{point}".replace(
        " ", ""
    )


def test_a_name_is_its_hash_and_says_which():
    assert name_of(b"").hex() == (
        "000be3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


def test_a_structure_has_its_length_before_it():
    assert sized(b"abc") == b"\x00\x03abc"
