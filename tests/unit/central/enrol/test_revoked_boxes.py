"""What a maker revoked: lists that count, lists that do not, and files that change."""

import logging
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from maker import Maker

from roost_central.enrol import revoked_boxes
from roost_central.enrol.factory import Makers
from roost_central.enrol.revoked_boxes import RevokedBoxes, read_lists
from roost_protocol.errors import ProtocolError

NOW = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)
ENDED = datetime(2026, 5, 1, tzinfo=UTC)
DELTA = x509.DeltaCRLIndicator(1)
SOME = x509.IssuingDistributionPoint(None, None, True, False, None, False, False)


@pytest.fixture
def root():
    return Maker()


@pytest.fixture
def line(root):
    return root.below()


@pytest.fixture
def makers(root, tmp_path):
    """Return makers that follow a file of lists."""

    def made(*lists):
        file = tmp_path / "acme.crl"
        file.write_bytes(b"".join(lists))
        authorities = [("acme", [root.certificate])]
        return Makers(authorities, {"acme": RevokedBoxes("acme", file)}), file

    return made


def refusal(makers, chain):
    with pytest.raises(ProtocolError) as refused:
        makers.check(chain, NOW)
    assert refused.value.code == "chain"
    return str(refused.value)


def test_a_revoked_box_is_refused_and_its_neighbour_is_not(root, line, makers):
    (_, bad), (_, good) = line.box("AC-1"), line.box("AC-2")
    found, _ = makers(root.revoking(), line.revoking(bad))
    assert "acme revoked the certificate" in refusal(found, bad)
    assert found.check(good, NOW).serial == "AC-2"


def test_a_revoked_line_takes_its_boxes_with_it(root, line, makers):
    _, chain = line.box()
    issuer = line.certificate.public_bytes(Encoding.PEM).decode()
    found, _ = makers(root.revoking(issuer))
    assert "acme revoked the certificate" in refusal(found, chain)


def test_a_list_counts_by_its_issuers_signature_alone(root, line, makers):
    _, chain = line.box()
    found, _ = makers(line.revoking(chain, by=Maker()), Maker(line.common).revoking(chain))
    assert found.check(chain, NOW).maker == "acme"


def test_a_list_past_its_date_counts_and_is_told_once(root, makers, caplog):
    (_, bad), (_, good) = root.box("AC-1"), root.box("AC-2")
    found, _ = makers(root.revoking(bad, next_update=ENDED))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert found.check(good, NOW).serial == "AC-2"
        refusal(found, bad)
    [told] = caplog.messages
    assert "ended at 2026-05-01" in told
    assert "fetch it anew" in told


def test_a_list_that_was_fetched_anew_counts_without_a_restart(root, makers, caplog):
    _, chain = root.box()
    found, file = makers(root.revoking())
    assert found.check(chain, NOW)
    file.write_bytes(root.revoking(chain))
    refusal(found, chain)
    with caplog.at_level(logging.WARNING):
        for spoilt in (b"no list", None):
            file.unlink()
            if spoilt is not None:
                file.write_bytes(spoilt)
            for _ in range(2):
                assert "revoked" in refusal(found, chain)
    assert ["the lists of before are used" in each for each in caplog.messages] == [True, True]


def test_a_maker_without_lists_revokes_nothing_of_another(root, tmp_path):
    other = Maker("Other")
    _, chain = root.box()
    file = tmp_path / "other.crl"
    file.write_bytes(other.revoking(chain))
    authorities = [("other", [other.certificate]), ("acme", [root.certificate])]
    makers = Makers(authorities, {"other": RevokedBoxes("other", file)})
    assert makers.check(chain, NOW).maker == "acme"


def test_one_list_may_be_in_der(root, tmp_path):
    found = x509.load_pem_x509_crl(root.revoking(root.box()[1]))
    (tmp_path / "acme.crl").write_bytes(found.public_bytes(Encoding.DER))
    assert read_lists(tmp_path / "acme.crl") == (found,)


@pytest.mark.parametrize("odd", [DELTA, SOME], ids=["a difference", "of some certificates"])
def test_a_list_that_is_not_whole_is_not_taken_for_one(root, tmp_path, odd):
    file = tmp_path / "acme.crl"
    file.write_bytes(root.revoking(extensions=[(odd, True)]))
    with pytest.raises(ValueError, match="give whole lists"):
        read_lists(file)


def test_a_file_has_bounds(root, tmp_path, monkeypatch):
    file = tmp_path / "acme.crl"
    file.write_bytes(root.revoking() * 2)
    monkeypatch.setattr(revoked_boxes, "LISTS_MAX", 1)
    with pytest.raises(ValueError, match="2 lists, bound 1"):
        read_lists(file)
    monkeypatch.setattr(revoked_boxes, "LISTS_BYTES_MAX", 9)
    with pytest.raises(ValueError, match="longer than 9 bytes"):
        read_lists(file)
