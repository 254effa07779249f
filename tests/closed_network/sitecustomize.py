"""Put first on PYTHONPATH it closes the network of a process: only this machine is reached.

Each refused address is also written to the file that SHOTLIST_TEST_REFUSED names, so that a test
sees an attempt even where the program swallowed the error.
"""

import ipaddress
import os
import socket
from pathlib import Path


class ClosedNetworkError(OSError):
    pass


def _is_number(host):
    try:
        ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host)
    except ValueError:
        return False
    return True


def _is_here(host):
    if host in {None, "", "localhost"}:
        return True
    if isinstance(host, bytes):
        host = host.decode()
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host == socket.gethostname()
    return address.is_loopback or address.is_unspecified


def _refuse(host):
    path = os.environ.get("SHOTLIST_TEST_REFUSED")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{host}\n")
    raise ClosedNetworkError(f"the network is closed in tests: {host}")


def close():
    connect, connect_ex, look_up = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def guarded(original):
        def call(self, address):
            if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_here(address[0]):
                _refuse(address[0])
            return original(self, address)

        return call

    def guarded_look_up(host, *args, **kwargs):
        # looking a number up asks nobody; connecting to it would
        if not _is_here(host) and not _is_number(host):
            _refuse(host)
        return look_up(host, *args, **kwargs)

    socket.socket.connect = guarded(connect)
    socket.socket.connect_ex = guarded(connect_ex)
    socket.getaddrinfo = guarded_look_up


close()
