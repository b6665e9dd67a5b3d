#!/usr/bin/env python3
"""The client edge of Forebay, nginx and HAProxy side by side, by CPU time per request: one cached answer of 1 KiB over
TLS, on kept connections and on new ones, and over HTTP/2. For TLS a floor server (floor/floor.cpp) shows the least that
is possible. Each server has one worker. Prints a Markdown table. Nothing leaves this machine.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import compare

H2_CONNECTIONS, H2_STREAMS = 16, 32


class Kind:
    """A way to ask. `load(port, options)` gives the number of requests that were answered."""

    def __init__(self, name, label, tls, load):
        self.name, self.label, self.tls, self.load = name, label, tls, load


def run_h2load(timeout, *words):
    done = subprocess.run(["h2load", *words], capture_output=True, text=True, timeout=timeout)
    found = re.search(r"requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored", done.stdout)
    if not found or found.group(1) == "0" or found.group(2) != "0" or found.group(3) != "0":
        raise SystemExit(f"h2load reports errors:\n{done.stdout}{done.stderr}")
    return int(found.group(1))


def h2load(port, options, scheme, *more):
    return run_h2load(options.seconds + 60, "-D", str(options.seconds), *more, f"{scheme}://127.0.0.1:{port}/1k")


def handshakes(port, options):
    """One request on each connection, none of which resumes a session."""
    until, requests = time.monotonic() + options.seconds, 0
    while time.monotonic() < until:
        requests += run_h2load(60, "--h1", "-c", "20", "-n", "20", f"https://127.0.0.1:{port}/1k")
    return requests


KINDS = [
    Kind("tls", "TLS 1.3, kept connections", True,
         lambda port, options: h2load(port, options, "https", "--h1", "-c", str(options.connections))),
    Kind("handshake", "TLS 1.3, a new connection each", True, handshakes),
    Kind("h2", "HTTP/2, clear", False, lambda port, options: h2load(
        port, options, "http", "-c", str(H2_CONNECTIONS), "-m", str(H2_STREAMS))),
    Kind("h2tls", "HTTP/2 over TLS 1.3", True, lambda port, options: h2load(
        port, options, "https", "-c", str(H2_CONNECTIONS), "-m", str(H2_STREAMS))),
]


def certificate(folder):
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "7", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out",
                    cert], check=True, capture_output=True)
    with open(os.path.join(folder, "both.pem"), "w") as both:
        both.write(open(cert).read() + open(key).read())
    return cert, key


def edit(path, *changes):
    with open(path) as file:
        text = file.read()
    for old, new in changes:
        if old not in text:
            raise SystemExit(f"{path} has no {old!r}")
        text = text.replace(old, new)
    with open(path, "w") as file:
        file.write(text)


class Configured:
    """A server of compare.py with other lines about its listener, which is known only once it has been started."""

    def __init__(self, make, path, *changes):
        real, self.made = compare.Server, None
        compare.Server = lambda label, version, port, command, log: (label, version, port, command, log)
        try:
            label, version, port, command, log = make()
        finally:
            compare.Server = real
        edit(path, *[tuple(text.format(port=port) for text in change) for change in changes])
        self.server = compare.Server(label, version, port, command, log)


def with_origin(make):
    """A server with an origin of its own, so that what one leaves unanswered is not counted for the next."""
    origin = compare.Origin(1024)
    server = make(origin.port)
    server.origin = origin
    return server


def servers_for(kind, options, folder):
    cert, key = certificate(folder)
    h2 = kind.name.startswith("h2")
    both = os.path.join(folder, "both.pem")
    tls = f"tls: {{cert: {cert}, key: {key}}}"
    yield with_origin(lambda port: Configured(lambda: compare.forebay(options.binary, 1, port, folder),
                     os.path.join(folder, "forebay-1.yaml"),
                     ("listen: 127.0.0.1:{port}\n",
                      "listen: [ {{ address: '127.0.0.1:{port}'" + (", " + tls.replace("{", "{{").replace("}", "}}") if kind.tls else "") + " }} ]\n")
                     ).server)
    yield with_origin(lambda port: Configured(lambda: compare.nginx(port, folder),
                                              os.path.join(folder, "nginx/nginx.conf"),
                     ("listen 127.0.0.1:{port};", "listen 127.0.0.1:{port}" + (" ssl" if kind.tls else "") +
                      (" http2" if h2 else "") + ";" +
                      (f" ssl_certificate {cert}; ssl_certificate_key {key}; ssl_session_cache off; ssl_protocols TLSv1.3;" if kind.tls else "") +
                      " http2_max_requests 1000000000;")).server)
    yield with_origin(lambda port: Configured(lambda: compare.haproxy(port, folder), os.path.join(folder, "haproxy.cfg"),
                     ("bind 127.0.0.1:{port}", "bind 127.0.0.1:{port}" + (f" ssl crt {both} alpn h2,http/1.1" if kind.tls else
                                                                         " proto h2" if h2 else ""))).server)
    floor = os.path.join(os.path.dirname(options.binary), "tests/bench/forebay_floor")
    if kind.tls and not h2 and os.path.exists(floor):
        log = os.path.join(folder, "floor.log")
        server = with_origin(lambda _: compare.Server("floor", "-", 0, [floor, cert, key], log))
        while not (port := open(log).read().strip()):
            if server.process.poll() is not None:
                raise SystemExit("the floor server does not start")
        server.port = int(port)
        yield server


def ready(kind, server):
    """Until it answers out of its cache. One request first: a crowd of misses at the same time is another subject."""
    version = [] if kind.name.startswith("h2") else ["--h1"]
    url = f"{'https' if kind.tls else 'http'}://127.0.0.1:{server.port}/1k"
    for attempt in range(40):
        try:
            run_h2load(60, *version, "-n", "2", "-c", "1", "-m", "1", url)
            return
        except SystemExit:
            time.sleep(0.1)
            if server.process.poll() is not None or attempt == 39:
                raise SystemExit(f"{server.label} does not answer; see {server.log.name}") from None


def measure(kind, options):
    folder = tempfile.mkdtemp(prefix="forebay-bench-")
    servers, failed = [], True
    try:
        for server in servers_for(kind, options, folder):
            servers.append(server)
            ready(kind, server)
        for number in range(1, options.rounds + 1):
            for server in servers:
                before, asked = server.cpu_seconds(), server.origin.asked
                requests = kind.load(server.port, options)
                # HAProxy and nginx ask some more where many streams begin at the same time.
                if server.label.startswith("Forebay") and server.origin.asked != asked:
                    raise SystemExit(f"not every answer was a hit: the origin was asked {server.origin.asked - asked} times")
                cost = (server.cpu_seconds() - before) / requests * 1e6
                server.samples.append(cost)
                print(f"{kind.label}, round {number}: {server.label}: {cost:.2f} µs CPU, {requests} requests, "
                      f"{server.origin.asked - asked} of the origin", file=sys.stderr, flush=True)
        failed = False
    finally:
        for server in servers:
            server.stop()
            server.origin.shutdown()
        if failed:
            print(f"logs are in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder)
    base = statistics.median(servers[0].samples)
    return [f"| {kind.label} | {server.label} {server.version} | {statistics.median(server.samples):.2f} µs "
            f"({min(server.samples):.2f} to {max(server.samples):.2f}) | {statistics.median(server.samples) / base:.2f} |"
            for server in servers]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", help="the forebay binary to measure")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of load for each server in each round")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--kinds", default=",".join(kind.name for kind in KINDS))
    options = parser.parse_args()
    options.binary = os.path.abspath(options.binary)
    lines = ["| what | server | CPU time per request, median (range) | against Forebay |", "| --- | --- | --- | --- |"]
    for kind in KINDS:
        if kind.name in options.kinds.split(","):
            lines += measure(kind, options)
    print("\n".join(lines))
    print(f"\n1 KiB from the cache, one worker each, {options.rounds} rounds of {options.seconds} s in turn, "
          f"{options.connections} connections, for HTTP/2 {H2_CONNECTIONS} of {H2_STREAMS} streams. {compare.machine()}.")


if __name__ == "__main__":
    main()
