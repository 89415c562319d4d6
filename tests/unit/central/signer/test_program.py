"""What the signer's folder must be for it to begin."""

import pytest

from roost_central.errors import ConfigError
from roost_central.signer.program import checked


def test_a_folder_that_is_none_of_a_signer_says_what_makes_one(tmp_path):
    with pytest.raises(ConfigError, match="`roost ca init` makes such a folder"):
        checked(tmp_path)
