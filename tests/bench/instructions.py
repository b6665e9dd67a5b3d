#!/usr/bin/env python3
"""Instructions per request of Forebay, counted by callgrind: exact, whatever else the machine does.

The daemon runs with one thread under callgrind and is asked one kind of request on one connection, a few hundred times
and then a few thousand times. The difference of the two counts, divided by the difference of the requests, is the cost
of one request, without start and end. Prints a Markdown table; needs valgrind. Nothing leaves this machine.

    instructions.py build/bench/forebay [KIND...] [--few 500] [--many 3500]
"""

import argparse
import http.client
import os
import re
import shutil
import signal
import ssl
import statistics
import subprocess
import tempfile
import time

import compare
import edge


def ask(connection, path, count):
    for number in range(count):
        connection.request("GET", path(number))
        answer = connection.getresponse()
        if answer.status != 200 or len(answer.read()) != 1024:
            raise SystemExit(f"status {answer.status}")


class Kind:
    def __init__(self, name, label, path, route="path: /**", tls=False):
        self.name, self.label, self.path, self.route, self.tls = name, label, path, route, tls

    def config(self, port, origin, certificate):
        tls = f", tls: {{cert: {certificate[0]}, key: {certificate[1]}}}" if self.tls else ""
        return (f"listen: [{{address: '127.0.0.1:{port}'{tls}}}]\norigin: http://127.0.0.1:{origin}\n"
                f"server: {{threads: 1}}\nadmin: {{listen: off}}\nroutes: [{{{self.route}}}]\n"
                "log: {access: {output: \"off\"}}\n")


KINDS = [
    Kind("hit", "hit", lambda n: "/1k"),
    Kind("miss", "miss", lambda n: f"/{n}"),
    Kind("pass", "uncacheable (`cache: false`)", lambda n: "/1k", "path: /**, cache: false"),
    Kind("tls", "hit over TLS 1.3", lambda n: "/1k", tls=True),
]


def count(binary, kind, origin, folder, certificate, requests):
    """Instructions of a whole run with so many requests."""
    port = compare.free_port()
    config, out = os.path.join(folder, "forebay.yaml"), os.path.join(folder, "callgrind.out")
    with open(config, "w") as file:
        file.write(kind.config(port, origin.port, certificate))
    daemon = subprocess.Popen(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", binary, "run", "-c", config],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while True:
            context = ssl.create_default_context(cafile=certificate[0]) if kind.tls else None
            connection = (http.client.HTTPSConnection("localhost", port, timeout=60, context=context) if kind.tls
                          else http.client.HTTPConnection("127.0.0.1", port, timeout=60))
            try:
                connection.connect()
                break
            except OSError:
                if daemon.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"the daemon does not start under callgrind; its configuration is {config}") from None
                time.sleep(0.2)
        ask(connection, kind.path, requests)
        connection.close()
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(60)
    finally:
        if daemon.poll() is None:
            daemon.kill()
            daemon.wait()
    with open(out) as file:
        return int(re.search(r"^(?:summary|totals): (\d+)", file.read(), re.M).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(k.name for k in KINDS))
    parser.add_argument("--few", type=int, default=500)
    parser.add_argument("--many", type=int, default=3500)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        raise SystemExit("needs valgrind")
    unknown = set(options.kinds) - {k.name for k in KINDS}
    if unknown or options.many <= options.few:
        raise SystemExit(f"unknown kinds: {', '.join(unknown)}" if unknown else "--many has to be above --few")
    folder = tempfile.mkdtemp(prefix="forebay-instructions-")
    certificate, origin = edge.certificate(folder), compare.Origin(1024)
    print("| request for 1 KiB | instructions, median | range |\n| --- | --- | --- |")
    for kind in KINDS:
        if options.kinds and kind.name not in options.kinds:
            continue
        costs = []
        for _ in range(options.rounds):
            few, many = (count(options.binary, kind, origin, folder, certificate, n) for n in (options.few, options.many))
            costs.append((many - few) / (options.many - options.few))
        print(f"| {kind.label} | {statistics.median(costs):,.0f} | {min(costs):,.0f} to {max(costs):,.0f} |", flush=True)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
