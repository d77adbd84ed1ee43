"""The scripts' own tests (tests/js/*.test.mjs), each run by Node."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """A copy, laid out as it is served, that says of itself that its files are modules."""
    folder = tmp_path_factory.mktemp("scripts")
    shutil.copytree(ROOT / "static" / "js", folder / "static" / "js")
    shutil.copytree(ROOT / "clients" / "js" / "lib", folder / "static" / "client")
    shutil.copytree(ROOT / "tests" / "js", folder / "tests" / "js")
    (folder / "package.json").write_text('{"type": "module"}')
    return folder


@pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="Node is not installed."
)
@pytest.mark.parametrize("name", sorted(path.name for path in Path(__file__).parent.glob("*.mjs")))
def test_scripts(scripts, name):
    run = subprocess.run(
        ["node", "--test", f"tests/js/{name}"], cwd=scripts, capture_output=True, text=True
    )
    print(run.stdout, run.stderr)
    assert run.returncode == 0
