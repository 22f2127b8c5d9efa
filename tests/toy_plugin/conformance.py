"""The plugin's own test: what benchbox asks of a codec."""

import pytest
from benchbox_toy import ToyInfo

from benchbox import testing


@pytest.mark.parametrize("check", testing.codec_checks(ToyInfo(id="toy", title="Toy (zlib)")))
def test_toy(check):
    check()
