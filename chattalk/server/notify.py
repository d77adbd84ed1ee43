"""Tells a service manager how far we are: systemd's own protocol, a datagram to the socket that
NOTIFY_SOCKET names (sd_notify(3)). Nobody is told where nobody asked."""

import logging
import os
import socket

READY, STOPPING = "READY=1", "STOPPING=1"

logger = logging.getLogger(__name__)


def notify(state: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # a name without a file
        address = f"\0{address[1:]}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.sendto(state.encode(), address)
    except OSError as error:  # it will find out by itself, or end us; that is not for us to do
        logger.warning("NOTIFY_SOCKET does not take %s: %s", state, error.strerror)
