"""Authorities of makers as files have them; whose word counts is in test_factory and tpm."""

import pytest
from cryptography import x509
from maker import Maker

from roost_central.enrol.chain import FILE_BYTES_MAX, read_authorities


def test_a_file_of_authorities_has_authorities_only(tmp_path):
    root = Maker()
    assert read_authorities(root.write(tmp_path / "ca.pem")) == [root.certificate]
    (tmp_path / "box.pem").write_text(
        root.box(extensions=[(x509.BasicConstraints(False, None), True)])[1]
    )
    with pytest.raises(ValueError, match="is no authority"):
        read_authorities(tmp_path / "box.pem")


def test_a_file_that_is_too_long_is_not_read(tmp_path):
    (tmp_path / "ca.pem").write_bytes(b"x" * (FILE_BYTES_MAX + 1))
    with pytest.raises(ValueError, match="longer than"):
        read_authorities(tmp_path / "ca.pem")
