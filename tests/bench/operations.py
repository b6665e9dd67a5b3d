#!/usr/bin/env python3
"""How long hits take beside what operators do: purges of many entries, listings, reloads and drains. Fills a store first
(wrk, with nginx as the origin), then measures as slow_clients.py does: in each round all phases, in every second round
in the other order. Prints a Markdown table. Nothing leaves this machine.

    operations.py build/bench/forebay [--entries 200000] [--rounds 3] [--seconds 10]
"""

import argparse
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import compare
import slow_clients

LUA = """\
local n = 0
request = function()
  n = n + 1
  return wrk.format("GET", (n % 10 == 0 and "/p/" or "/q/") .. n)
end
"""


def nginx(folder):
    """An origin that answers everything with 1 KiB."""
    port = compare.free_port()
    config = os.path.join(folder, "nginx.conf")
    user = "user root;\n" if os.geteuid() == 0 else ""
    temporary = "".join(f"  {k}_temp_path {folder}/{k};\n" for k in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    with open(config, "w") as f:
        f.write(f"""\
{user}daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
{temporary}  access_log off;
  keepalive_requests 1000000000;
  server {{
    listen 127.0.0.1:{port};
    location / {{ add_header Cache-Control "max-age=36000, stale-while-revalidate=36000"; return 200 "{"x" * 1024}"; }}
  }}
}}
""")
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    return compare.Server("nginx", "", port, [binary, "-c", config, "-p", folder, "-e", "stderr"],
                          os.path.join(folder, "nginx.log"))


class Daemon:
    def __init__(self, binary, origin, folder):
        self.clear = compare.free_port()
        self.tls, self.admin = 0, compare.free_port()
        config = os.path.join(folder, "forebay.yaml")
        with open(config, "w") as f:
            f.write(f"""\
listen: 127.0.0.1:{self.clear}
origin: http://127.0.0.1:{origin}
admin: {{listen: "127.0.0.1:{self.admin}", changes_per_second: 1000}}
server: {{threads: 2}}
cache: {{memory: 4GiB}}
log: {{access: {{output: "off"}}}}
routes:
  - {{name: p, path: /p/**, tags: {{add: [some]}}}}
  - {{name: q, path: /q/**, tags: {{add: [many]}}}}
  - {{name: rest, path: /**}}
""")
        self.server = compare.Server("Forebay", "", self.clear, [
            sys.executable, os.path.abspath(slow_clients.__file__), "--child", "exec", binary, "run", "-c", config],
                                     os.path.join(folder, "forebay.log"))
        self.server.wait(b"x" * 1024)

    def fill(self, entries, folder):
        """One connection of wrk asks for one URL after the other."""
        script = os.path.join(folder, "fill.lua")
        with open(script, "w") as f:
            f.write(LUA)
        wrk = subprocess.Popen(["wrk", "-t1", "-c32", "-d600s", "-s", script, f"http://127.0.0.1:{self.clear}"],
                               stdout=subprocess.DEVNULL)
        try:
            until = time.monotonic() + 600
            while self.ask("GET", "/api/v1/status")["totals"]["entries"] < entries:
                if time.monotonic() > until or wrk.poll() is not None:
                    raise SystemExit("the store is not filled in time")
                time.sleep(0.2)
        finally:
            wrk.kill()
            wrk.wait()
        time.sleep(2)

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=60)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status not in (200, 202):
            raise SystemExit(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text)


def purge(**order):
    return lambda daemon: daemon.ask("POST", "/api/v1/purge", {"mode": "soft", **order})["purged"]


def list_all(daemon):
    cursor, rows = None, 0
    while cursor != "":
        page = daemon.ask("GET", "/api/v1/entries?limit=1000" + (f"&cursor={cursor}" if cursor else ""))
        rows += len(page["entries"])
        cursor = page["cursor"] or ""
    return rows


def drain(daemon):
    daemon.ask("POST", "/api/v1/drain")
    time.sleep(0.2)
    daemon.ask("POST", "/api/v1/undrain")
    return 1


def reload(daemon):
    daemon.ask("POST", "/api/v1/reload")
    return 1


# Name, what is done, and seconds between two of them.
PHASES = [
    ("alone", None, 0),
    ("purges by a tag", purge(tag=["many"]), 0.5),
    ("purges by a prefix", purge(prefix=["/p/"]), 0.5),
    ("purges by a route", purge(route=["q"]), 0.5),
    ("purges by a glob", purge(glob=["*9"]), 0.5),
    ("listings of everything", list_all, 0),
    ("reloads", reload, 0.1),
    ("drains", drain, 0.2),
]


class Beside:
    """Does it again and again in a thread of this process."""

    def __init__(self, daemon, act, pause):
        self.act, self.pause, self.daemon = act, pause, daemon
        self.times, self.named, self.failed = [], 0, None
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        try:
            while not self.stop.wait(self.pause):
                began = time.monotonic()
                self.named = self.act(self.daemon)
                self.times.append(time.monotonic() - began)
        except BaseException as error:
            self.failed = error

    def __enter__(self):
        if self.act:
            self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        if self.act:
            self.thread.join(60)
        if self.failed:
            raise SystemExit(f"failed: {self.failed}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10, help="of measuring in each phase")
    parser.add_argument("--rate", type=int, default=1000, help="hits a second")
    parser.add_argument("--scheduling", choices=["fifo", "nice", "same"], default="fifo",
                        help="how the measured goes before other programs: SCHED_FIFO, nice values less 19, not at all")
    options = parser.parse_args()
    os.environ["SCHEDULING"] = options.scheduling
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = tempfile.mkdtemp(prefix="forebay-operations-")
    servers, found = [], {name: [] for name, _, _ in PHASES}
    facts = {}
    try:
        servers.append(nginx(folder))
        servers[0].wait(b"x" * 1024)
        daemon = Daemon(os.path.abspath(options.binary), servers[0].port, folder)
        servers.append(daemon.server)
        daemon.fill(options.entries, folder)
        for number in range(options.rounds):
            for name, act, pause in PHASES if number % 2 == 0 else PHASES[::-1]:
                with Beside(daemon, act, pause) as beside:
                    phase = slow_clients.hits(daemon, options)
                found[name].append(phase)
                facts.setdefault(name, []).extend(beside.times)
                print(f"round {number + 1}: {name}: {len(beside.times)} times, {beside.named} named; p50 {phase.p50:.0f}, "
                      f"p99 {phase.p99:.0f}, p99.9 {phase.p999:.0f}, longest {phase.most:.0f} us, above 1 ms "
                      f"{phase.slow:.3%}", file=sys.stderr, flush=True)
    finally:
        for server in servers[::-1]:
            server.stop()
        shutil.rmtree(folder)
    print(f"| hits beside, {options.entries:,} entries | times | each took | p50 | p99 | p99.9 | longest of each round | "
          "above 1 ms |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, phases in found.items():
        times = sorted(facts[name])
        took = f"{times[len(times) // 2] * 1000:.1f} ms" if times else ""
        middle = [sorted(getattr(p, f) for p in phases)[len(phases) // 2] for f in ("p50", "p99", "p999")]
        longest = ", ".join(f"{p.most / 1000:.2f}" for p in phases)
        print(f"| {name} | {len(times)} | {took} | " + " | ".join(f"{m:.0f} µs" for m in middle) +
              f" | {longest} ms | {sum(p.slow for p in phases) / len(phases):.3%} |")
    print(f"\n{options.rounds} rounds with {options.seconds} s of {options.rate} hits a second in each phase; scheduling: "
          f"{options.scheduling}; {compare.machine()}.")


if __name__ == "__main__":
    main()
