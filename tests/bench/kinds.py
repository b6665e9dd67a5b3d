#!/usr/bin/env python3
"""Kinds of hits beside one another, by CPU time per request: what keying a body costs, and what a thousand routes cost.

One Forebay with few routes serves a GET, a POST with a raw body key and a POST with three JSON pointers (1 KiB of JSON);
another one, with a thousand routes, serves the same GET from its last route. They are measured in turn, several rounds,
with wrk on loopback. Prints a Markdown table with the ratios to the GET.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

import compare

BODY = {
    "query": "waterproof trail running shoes",
    "page": {"number": 3, "size": 40},
    "filters": {"brand": ["northfell", "kestrel", "ridgeline"], "price": {"min": 49.90, "max": 189.00},
                "sizes": [40, 41, 42, 43, 44], "in_stock": True, "colour": None},
    "sort": [{"by": "relevance", "order": "desc"}, {"by": "price", "order": "asc"}],
    "client": {"name": "storefront", "version": "5.14.2", "locale": "en-GB", "currency": "EUR"},
}


def body_of(size):
    """The request's JSON, filled up to about this size with what the pointers do not choose."""
    document = dict(BODY)
    document["trace"] = []
    while len(json.dumps(document)) < size - 40:
        document["trace"].append({"step": len(document["trace"]), "note": "seen on the way here"})
    return json.dumps(document)


class Origin(compare.OriginHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()


def forebay(binary, name, routes, origin, folder):
    port = compare.free_port()
    config = os.path.join(folder, f"{name}.yaml")
    with open(config, "w") as f:
        f.write(f"listen: 127.0.0.1:{port}\norigin: http://127.0.0.1:{origin}\nadmin: {{listen: \"off\"}}\n"
                f"server: {{threads: 1}}\nlog: {{access: {{output: \"off\"}}}}\nroutes:\n{routes}")
    return compare.Server(name, "", port, [binary, "run", "-c", config], os.path.join(folder, f"{name}.log"))


def script(folder, name, path, body):
    file = os.path.join(folder, f"{name}.lua")
    with open(file, "w") as f:
        f.write(f'wrk.path = "{path}"\n')
        if body is not None:
            f.write('wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
                    f"wrk.body = [==[{body}]==]\n")
    return file


def measure(server, file, options):
    before = server.cpu_seconds()
    out = subprocess.run(["wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", "-s", file,
                          f"http://127.0.0.1:{server.port}"], stdout=subprocess.PIPE, text=True, check=True,
                         timeout=options.seconds + 30).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(f"wrk reports errors:\n{out}")
    requests = int(out.split(" requests in")[0].split()[-1])
    return (server.cpu_seconds() - before) / requests * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=50)
    options = parser.parse_args()

    few = ("  - {path: /raw, methods: [POST], key: {body: all}}\n"
           "  - {path: /pointers, methods: [POST], key: {body: [/query, /filters, /page]}}\n"
           "  - {path: /graphql, methods: [GET, POST], key: {graphql: true}}\n"
           "  - {path: /**}\n")
    many = "".join(f"  - {{path: '/service{i % 40}/v{i % 3}/items{i}/{{id}}/**'}}\n" for i in range(999)) + "  - {path: /**}\n"
    origin = compare.Origin(1024)
    origin.RequestHandlerClass = Origin
    folder = tempfile.mkdtemp(prefix="forebay-kinds-")
    servers, failed = [], True
    try:
        servers = [forebay(options.binary, "few", few, origin.port, folder),
                   forebay(options.binary, "many", many, origin.port, folder)]
        for server in servers:
            server.wait(origin.body)
        body = body_of(1024)
        kinds = [("GET", servers[0], script(folder, "get", "/1k", None)),
                 ("POST, raw body key", servers[0], script(folder, "raw", "/raw", body)),
                 ("POST, three JSON pointers", servers[0], script(folder, "pointers", "/pointers", body)),
                 ("GET, 1,000 routes", servers[1], script(folder, "many", "/1k", None))]
        samples = {name: [] for name, _, _ in kinds}
        for name, server, file in kinds:  # fills the cache, and the caches of the machine
            measure(server, file, argparse.Namespace(connections=options.connections, seconds=1))
        asked = origin.asked
        for number in range(1, options.rounds + 1):
            for name, server, file in kinds:
                samples[name].append(measure(server, file, options))
                print(f"round {number}: {name}: {samples[name][-1]:.2f} µs", file=sys.stderr, flush=True)
        if origin.asked != asked:
            raise SystemExit(f"the origin was asked {origin.asked - asked} times: not every answer was a hit")
        failed = False
    finally:
        for server in servers:
            server.stop()
        origin.shutdown()
        if not failed:
            shutil.rmtree(folder)

    base = statistics.median(samples["GET"])
    print("| hit | CPU time per request, median (range) | against GET |\n| --- | --- | --- |")
    for name, all_of in samples.items():
        median = statistics.median(all_of)
        print(f"| {name} | {median:.2f} µs ({min(all_of):.2f} to {max(all_of):.2f}) | {median / base:.2f} |")
    print(f"\n{len(body)} bytes of request body, 1024 of response, {options.connections} kept-alive connections, "
          f"{options.rounds} rounds of {options.seconds} s each in turn. {compare.machine()}.")


if __name__ == "__main__":
    main()
