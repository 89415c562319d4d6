"""The probe child: the real one, and what it may do wrong."""

import sys

import msgspec
import pytest

from roost_agent.errors import ProbeError
from roost_agent.wake import child


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Run a program of the test's own in the child's place."""

    def write(text):
        file = tmp_path / "child"
        file.write_text(f"#!{sys.executable}\n{text}")
        file.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(file))

    return write


async def test_the_real_child_finds_this_machine():
    document = await child.probe(("os", "memory"))
    assert document.sections.keys() == {"os", "memory"}
    assert document.sections["os"].as_of_ms > 0


async def test_a_class_nobody_knows_is_an_error_of_the_child():
    with pytest.raises(ProbeError, match="exit status 2"):
        await child.probe(("nonsense",))


async def test_what_is_no_document_is_told(program):
    program("print('hello')")
    with pytest.raises(ProbeError, match="no document"):
        await child.probe(())


async def test_another_version_is_told(program):
    raw = msgspec.msgpack.encode({"v": 9, "sections": {}})
    program(f"import sys; sys.stdout.buffer.write({raw!r})")
    with pytest.raises(ProbeError, match="version 9"):
        await child.probe(())


async def test_a_child_that_hangs_is_killed(program, monkeypatch, tmp_path):
    program(f"open({str(tmp_path / 'ran')!r}, 'w').close()\nimport time; time.sleep(60)")
    monkeypatch.setattr(child, "DEADLINE_S", 0.5)
    with pytest.raises(ProbeError, match="not done after"):
        await child.probe(())


async def test_a_child_that_floods_is_cut(program, monkeypatch):
    monkeypatch.setattr(child, "OUTPUT_BYTES_MAX", 10_000)
    program("import sys; sys.stdout.write('x' * 3_000_000)")
    with pytest.raises(ProbeError, match="no document"):
        await child.probe(())


async def test_it_inherits_nothing_of_ours(program, monkeypatch):
    monkeypatch.setenv("ROOST_SECRET", "canary")
    program(
        "import os, sys; sys.exit(len([fd for fd in os.listdir('/proc/self/fd')])"
        " - 1 + 100 * ('ROOST_SECRET' in os.environ))"
    )
    with pytest.raises(ProbeError, match="exit status 3"):
        await child.probe(())
