"""The TPM of a box, emulated: its keys are those that other tools make; what it lacks is told."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[4] / "support"))

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from maker import Maker, ec_key
from swtpm import ECC, RSA, Swtpm, der, endorsed, endorsement, needs_swtpm

from roost_agent.enrol.keys import make_key
from roost_agent.enrol.tpm.chip import opened
from roost_agent.enrol.tpm.link import TpmError
from roost_protocol.tpm import attestation_area, name_of

TOOLS = shutil.which("tpm2_createek")


@pytest.fixture(scope="module")
def maker():
    needs_swtpm()
    return Maker("Chips Root")


@pytest.fixture(scope="module", params=[ECC, RSA], ids=["p256", "rsa"])
def tpm(request, tmp_path_factory, maker):
    folder = tmp_path_factory.mktemp("tpm")
    with endorsed(folder, maker, request.param, filler=b"\xff" * 9) as tpm:
        tpm.algorithm = {ECC: "ecc", RSA: "rsa"}[request.param]
        yield tpm


@pytest.fixture
def bare(tmp_path):
    """A TPM without a certificate."""
    needs_swtpm()
    tpm = Swtpm(tmp_path / "tpm").start()
    yield tpm
    tpm.kill()


def tool(tpm, folder, *words):
    if TOOLS is None:
        pytest.skip("tpm2-tools are not installed")
    done = subprocess.run(
        words, cwd=folder, env={"TPM2TOOLS_TCTI": f"swtpm:path={tpm.socket}", "PATH": "/usr/bin"},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_its_keys_are_the_same_each_time_and_nothing_is_left_in_it(tpm):
    found = []
    for _ in range(4):  # an emulator has room for three keys
        with opened(str(tpm.socket)) as chip:
            found.append((chip.certificate, chip.fingerprint, chip.attestation_key))
    assert len(set(found)) == 1


def test_a_key_is_certified_for_a_question(tpm):
    with opened(str(tpm.socket)) as chip:
        attestation, signature = chip.certify(make_key(), b"q" * 32)
        key = load_pem_public_key(chip.attestation_key.encode())
    key.verify(signature, attestation, ECDSA(SHA256()))
    assert b"q" * 32 in attestation


def test_the_usual_tools_make_the_same_endorsement_key(tpm, tmp_path):
    words = ("-c", "ek.ctx", "-G", tpm.algorithm, "-f", "pem", "-u", "ek.pem")
    tool(tpm, tmp_path, "tpm2_createek", *words)
    tool(tpm, tmp_path, "tpm2_flushcontext", "-t")
    made = load_pem_public_key((tmp_path / "ek.pem").read_bytes())
    with opened(str(tpm.socket)) as chip:
        certificate = x509.load_pem_x509_certificate(chip.certificate.encode())
    assert certificate.public_key() == made


def test_a_credential_of_the_usual_tools_is_activated(tpm, tmp_path):
    words = ("-c", "ek.ctx", "-G", tpm.algorithm, "-u", "ek.pub")
    tool(tpm, tmp_path, "tpm2_createek", *words)
    tool(tpm, tmp_path, "tpm2_flushcontext", "-t")
    (tmp_path / "secret").write_bytes(b"s" * 32)
    with opened(str(tpm.socket)) as chip:
        numbers = load_pem_public_key(chip.attestation_key.encode()).public_numbers()
        name = name_of(attestation_area(numbers.x, numbers.y)).hex()
        words = ("-e", "ek.pub", "-s", "secret", "-n", name, "-o", "blob", "-T", "none")
        tool(tpm, tmp_path, "tpm2_makecredential", *words)
        parts = (tmp_path / "blob").read_bytes()[8:]  # behind the tool's own header
        length = int.from_bytes(parts[:2], "big")
        credential, seed = parts[2 : 2 + length], parts[4 + length :]
        assert chip.activate(credential, seed) == b"s" * 32


def test_a_tpm_without_a_certificate_says_so(bare):
    with pytest.raises(TpmError, match="its maker left none in it"), opened(str(bare.socket)):
        pass


def test_each_certificate_that_cannot_be_used_is_told(bare, maker):
    bare.keep(ECC, b"\x30\x03abc")
    bare.keep(RSA, der(endorsement(maker, ec_key().public_key())))
    told = "0x01c0000a cannot be read: .*; the one at 0x01c00002 is for another key"
    with pytest.raises(TpmError, match=told), opened(str(bare.socket)):
        pass


def test_a_certificate_that_cannot_be_used_is_passed_over(bare, maker):
    bare.keep(ECC, der(endorsement(maker, ec_key().public_key())))
    certificate = endorsement(maker, bare.endorsement_key(RSA))
    bare.keep(RSA, der(certificate))
    with opened(str(bare.socket)) as chip:
        assert x509.load_pem_x509_certificate(chip.certificate.encode()) == certificate


@pytest.mark.parametrize(
    ("file", "told"), [("none", "No such file"), ("plain", "neither a TPM's device")]
)
def test_what_is_no_tpm_is_told(tmp_path, file, told):
    (tmp_path / "plain").write_text("")
    with pytest.raises(TpmError, match=rf"{told}.*see \[join\] tpm"), opened(str(tmp_path / file)):
        pass
