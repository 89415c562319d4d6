"""The signer as a process: killed, started again, asked by strangers, given a wrong folder."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from ca import new_key, request_of
from orders import order_now

from roost_central.errors import SignerError, SignerUnavailableError
from roost_central.signer.client import Signer
from roost_central.signer.log import rows

KILLS = 3
NOBODY = 65_534


def signer(pki, *more):
    return subprocess.run(
        [sys.executable, "-m", "roost_central", "signer", *more, "--dir", pki.signer_dir],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip


def test_what_a_killed_signer_answered_for_is_on_record(pki, process):
    answered = []

    async def ask_until_it_is_gone(csr):
        client = Signer(pki.socket)
        try:
            while True:
                issued = await client.issue_node(csr, site="edge", node="n1", generation=1)
                answered.append(issued.serial)
        except SignerUnavailableError:
            await client.close()

    for number in range(KILLS):
        process.start()
        pid = process.pid
        code = f"import os, time; time.sleep({0.05 * (number + 1)}); os.kill({pid}, 9)"
        with subprocess.Popen([sys.executable, "-c", code]):
            asyncio.run(ask_until_it_is_gone(request_of(new_key())))
        process.kill()
    kept = [row.serial for row, _, _ in rows(pki.signer_dir / "signatures.log")]
    assert len(answered) > KILLS
    assert set(answered) <= set(kept)
    assert len(set(kept)) == len(kept) <= len(answered) + KILLS
    told = signer(pki, "log", "--verify")
    assert told.returncode == 0
    assert told.stdout.startswith(f"{len(kept)} signatures")


def test_a_signal_ends_it_at_once_with_clients_connected(pki, process):
    process.start()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(pki.socket))
        client.sendall(b"\0")  # half a length
        began = time.monotonic()
        process.kill(signal.SIGTERM)
        assert time.monotonic() - began < 8  # a request may take 10 s
        assert client.recv(1) == b""
    assert "Traceback" not in process.log.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: cannot be another user")
def test_another_user_is_refused_by_what_the_kernel_says(pki, process):
    process.start()
    for folder in (pki.folder, *pki.folder.parents[:3]):
        folder.chmod(0o755)
    code = (
        f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({str(pki.socket)!r})\n"
        "s.sendall((15).to_bytes(4, 'big') + b'{\"verb\":\"info\"}'); print(len(s.recv(9)))"
    )
    for uid, told in ((0, "9\n"), (NOBODY, "")):
        done = subprocess.run(
            ["/usr/bin/python3", "-c", code], user=uid, group=uid, extra_groups=(),
            capture_output=True, text=True, check=False, timeout=20, env={},
        )  # fmt: skip
        assert done.stdout in (told, "0\n"), done.stderr
        assert (done.stdout == "9\n") is (uid == 0)
    assert f"hung up on user {NOBODY}" in process.log.read_text()


def test_a_folder_that_cannot_be_used_is_told_in_a_sentence(pki):
    assert signer(pki, "check").returncode == 0
    (pki.signer_dir / "node-ca.key").chmod(0o644)
    told = signer(pki, "check")
    assert told.returncode == 1
    assert "node-ca.key" in told.stderr
    assert "0600" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_record_that_was_changed_is_not_gone_on_with(pki, process):
    process.start()

    async def sign():
        client = Signer(pki.socket)
        for number in range(3):
            await client.sign_order(order_now(seq=number))
        await client.close()

    asyncio.run(sign())
    process.kill()
    log = pki.signer_dir / "signatures.log"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0] + lines[2])
    for word in ("check", "run", "log"):
        told = signer(pki, word)
        assert told.returncode == 1
        assert "line 2" in told.stderr


def test_no_key_is_said_in_any_answer_or_log(pki, process):
    process.start()

    async def all_answers():
        client = Signer(pki.socket)
        csr = request_of(new_key())
        said = [await client.info(), await client.crl("node"), await client.sign_order(order_now())]
        said.append(await client.issue_server(csr, name="enrol"))
        with pytest.raises(SignerError) as refused:
            await client.issue_server(csr, name="*")
        await client.close()
        return repr(said) + str(refused.value)

    told = asyncio.run(all_answers()) + process.log.read_text()
    told += (pki.signer_dir / "signatures.log").read_text()
    for key in pki.signer_dir.glob("*.key"):
        body = "".join(key.read_text().splitlines()[1:-1])
        secret = body[32:60] if len(body) < 100 else body[52:84]  # Ed25519's 32 bytes, or P-256's
        assert secret not in told.replace("\n", "").replace("\\n", "")
    assert "PRIVATE" not in told
