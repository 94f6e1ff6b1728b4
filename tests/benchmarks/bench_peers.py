"""Processor time a call of other stand-ins, of those that are installed. Usage: bench_peers.py PYTHON

PYTHON is an interpreter with pytest-httpserver, which answers one call that it has been told of, a connection a call, as it
closes its own; cfmock checks a signature and starts an execution beside that.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
import time

import bench
import load

CALLS = 1000
HTTPSERVER = (
    "import sys, time; from pytest_httpserver import HTTPServer; s = HTTPServer(port=int(sys.argv[1])); "
    "s.expect_request('/').respond_with_json({'Name': 'e1', 'Status': 'Running'}); s.start(); time.sleep(600)"
)


class Peer(bench.Server):
    """A server that answers GET / with something."""

    def __init__(self, command: list[str], port: int) -> None:
        self.port = port
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                get(port)
                return
            except OSError:
                time.sleep(0.1)


def get(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/")
    connection.getresponse().read()
    connection.close()


def main() -> None:
    python = sys.argv[1]
    for what, command, port in (("pytest-httpserver", [python, "-c", HTTPSERVER, "18931"], 18931),):
        peer = Peer(command, port)
        try:
            before = peer.cpu()
            for _ in range(CALLS):
                get(port)
            print(f"{what:<52} {(peer.cpu() - before) / CALLS * 1e6:>8.0f} us a call", flush=True)
        finally:
            peer.stop()
    with bench.running(bench.CFMOCK) as server:
        load.send(server.port, load.starts(CALLS))
        before = server.cpu()
        load.send(server.port, load.starts(CALLS))
        print(f"{'cfmock, StartExecution':<52} {(server.cpu() - before) / CALLS * 1e6:>8.0f} us a call")


if __name__ == "__main__":
    main()
