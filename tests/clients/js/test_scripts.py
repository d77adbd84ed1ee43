"""The tests of clients/js that Node runs: by a fake server, what a real one does only by chance."""

from pathlib import Path

import pytest

from tests.clients.js.node import needs_node, run_tests

FILES = sorted(path.name for path in Path(__file__).parent.glob("*.test.mjs"))


@needs_node
@pytest.mark.parametrize("file", FILES)
def test_scripts(file):
    run_tests(file)
