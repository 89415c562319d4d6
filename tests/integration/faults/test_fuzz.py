"""A few thousand inputs for each decoder of the million that `make prove` tries."""

import importlib.util

import pytest
from gate import SEED
from prove_fuzz import fuzz, names

RUNS = 2_000

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(autouse=True)
def fuzzer():
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed: it has no wheel for this Python")


@pytest.mark.parametrize("name", names())
def test_a_decoder_answers_with_a_value_or_its_typed_error(name):
    outcome = fuzz(name, RUNS, SEED)
    assert outcome.finding == "", f"seed {SEED}"
    assert outcome.runs >= RUNS


def test_every_decoder_is_named():
    assert len(names()) >= 10
