"""Real servers for the tests, started before Django reads its settings (`-p tests.servers`).

Addresses that the environment gives are used as they are; the others come from wheels, in a
temporary folder that goes when the tests end, also by Ctrl-C.
"""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GIVEN = pytest.StashKey[dict[str, str]]()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    if early_config.known_args_namespace.help or early_config.known_args_namespace.version:
        return
    sys.path.insert(0, str(ROOT))
    from chattalk.embedded import Servers, given

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it cleans up as Ctrl-C does
    data = Path(tempfile.mkdtemp(prefix="chattalk-test-"))
    early_config.stash[GIVEN] = given(os.environ)
    servers = Servers(data, early_config.stash[GIVEN], durable=False)
    early_config.add_cleanup(lambda: shutil.rmtree(data, ignore_errors=True))
    early_config.add_cleanup(servers.stop)
    os.environ.update(servers.start())
    os.environ |= {
        "CHATTALK_DATA": str(data),
        "DEBUG": "true",
        "SECRET_KEY": "only-for-tests-" + "x" * 50,
        "DJANGO_SETTINGS_MODULE": "chattalk.settings",
        # All of the cast live at one address. What limits do: tests/edge, tests/api/test_pace.py.
        "API_RATE_NOBODY": "1000000",
        "PAGE_RATE": "1000000",
        "PAGE_RATE_NOBODY": "1000000",
        "SIGN_IN_RATE": "1000000",
        "SIGN_UP_RATE": "1000000",
        "JOIN_RATE": "1000000",
        "ROOM_RATE": "1000000",
        "PASSWORD_RATE": "1000000",
        "PERSON_SOCKETS": "1000000",
        "ADDRESS_STRANGERS": "1000000",
        "ADDRESS_SOCKETS": "1000000",
        "ADDRESS_CONNECTIONS": "1000000",
    }


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    # Our own server goes with its databases; dropping them would only wait for open connections.
    if os.environ.get("CHATTALK_DATA") and "DATABASE_URL" not in config.stash.get(GIVEN, {}):
        config.option.reuse_db = True
