"""Real servers for the tests, started before Django reads its settings (`-p tests.servers`).

Addresses that the environment gives are used as they are; the others come from wheels, in a
temporary folder that goes when the tests end, also by Ctrl-C. Where several processes run the tests
(`-n 2`), each has servers of its own, so none finds what another one did.
"""

import logging
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GIVEN = pytest.StashKey[dict[str, str]]()
SETTINGS = {
    "DEBUG": "true",
    "SECRET_KEY": "only-for-tests-" + "x" * 50,
    "DJANGO_SETTINGS_MODULE": "chattalk.settings",
    # All of the cast live at one address. What limits do: tests/limits, and
    # tests/interfaces/api/test_pace.py.
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


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    asked = early_config.known_args_namespace
    if asked.help or asked.version:
        return
    sys.path.insert(0, str(ROOT))
    os.environ |= SETTINGS
    if asked.numprocesses and "PYTEST_XDIST_WORKER" not in os.environ:
        _only_hands_out_tests()
    else:
        _start(early_config)


def _only_hands_out_tests() -> None:
    from chattalk.embedded import given

    if names := ", ".join(given(os.environ)):
        raise pytest.UsageError(f"Who shares servers ({names}) runs alone: make test PROCESSES=0")


def _start(config: pytest.Config) -> None:
    from chattalk.embedded import Servers, given
    from tests.redis_server import is_cluster, redis_server

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it cleans up as Ctrl-C does
    data = Path(tempfile.mkdtemp(prefix="chattalk-test-"))
    if is_cluster():
        cluster = redis_server(data)
        config.add_cleanup(cluster.stop)
        cluster.start()
        cluster.wait()
        os.environ["REDIS_URL"] = cluster.url()
    config.stash[GIVEN] = given(os.environ)
    servers = Servers(data, config.stash[GIVEN], durable=False)
    config.add_cleanup(lambda: shutil.rmtree(data, ignore_errors=True))
    config.add_cleanup(servers.stop)
    config.add_cleanup(logging.shutdown)  # what it still has to say is said while it can be heard
    os.environ |= servers.start() | {"CHATTALK_DATA": str(data)}


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    # Our own server goes with its databases; dropping them would only wait for open connections.
    if os.environ.get("CHATTALK_DATA") and "DATABASE_URL" not in config.stash.get(GIVEN, {}):
        config.option.reuse_db = True
