"""Two processes of tests never choose one port for two servers."""

import multiprocessing
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import loopback_ports
from loopback_ports import BLOCK, BLOCKS, PORTS_FROM, free_port


def test_processes_that_run_at_once_choose_among_ports_of_their_own():
    mine = {free_port() for _ in range(BLOCK)}
    with multiprocessing.get_context("fork").Pool(3) as pool:
        theirs = pool.map(_chosen, range(3), chunksize=1)
    chosen = dict(theirs)
    for pid, ports in chosen.items():
        assert not ports & mine
        assert not any(ports & other for key, other in chosen.items() if key != pid)


def test_one_process_takes_every_port_of_its_block_before_one_again():
    turn = [free_port() for _ in range(BLOCK)]
    assert len(set(turn)) > BLOCK // 2  # what listens already is passed by
    assert all(PORTS_FROM <= port < PORTS_FROM + BLOCKS * BLOCK for port in turn)


def _chosen(_: int) -> tuple[int, set[int]]:
    return os.getpid(), {loopback_ports.free_port() for _ in range(BLOCK)}
