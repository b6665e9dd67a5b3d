"""Three urls of one origin (nginx, Node.js, Apache httpd) that die, freeze and slow down under load. No client may
notice what a healthy url or a stored response could have hidden.

    python3 tests/origins/chaos_test.py build/asan/forebay --seconds 120
    python3 tests/origins/chaos_test.py build/asan/forebay --balance hash

One event at a time: a server is killed and started again, or stopped and continued, or slowed. It lasts until /metrics
shows what has to come of it, so no step depends on the speed of the machine. At the end all three are killed together.
"""

import argparse
import collections
import http.client
import itertools
import os
import pathlib
import random
import signal
import sys
import threading
import time

import processes
import wire
from chaos_servers import Apache, COUNTS, Nginx, Node, content
from server import require

CLIENTS = 16
RATE = 240  # requests a second of all clients together, at most
MEMORY_GROWTH = 64 << 20  # and half of what it was before

FOREBAY = """\
origins:
  shop:
    urls: [{urls}]
    balance: {balance}
    retries: 2
    slow_start: 1s
    timeouts: {{ connect: 3s, first_byte: 3s, between_bytes: 20s }}
    health: {{ path: /health, interval: 1s, timeout: 1s, down_after: 3 }}
    passive: {{ failures: 5, hold: 1s }}
    pool: {{ idle_timeout: 2s }}
origin: shop
routes:
  - {{ name: object, path: /object/**, coalesce: {{ wait: 30s }} }}
  - {{ name: live, path: /live/**, cache: false }}
  - {{ name: large, path: /large/**, cache: false }}
  - {{ name: post, path: /post, methods: [POST], cache: false }}
"""


# What a client saw: `status` is that of the answer, 0 where the connection broke before or within it.
Seen = collections.namedtuple("Seen", "kind path id began ended status server cache wrong")


class Client(threading.Thread):
    """One request after another, on a connection that is kept."""

    def __init__(self, bench, number):
        super().__init__(daemon=True)
        self.bench, self.number, self.seen, self.error = bench, number, [], None
        self.random = random.Random(number)
        self.connection = None

    def run(self):
        try:
            due = time.monotonic()
            for count in itertools.count():
                if self.bench.over.wait(max(0.0, due - time.monotonic())):
                    break
                due = max(time.monotonic(), due + CLIENTS / RATE)
                self.seen.append(self.request(f"{self.number}-{count}"))
        except Exception as error:
            self.error = error
        finally:
            if self.connection:
                self.connection.close()

    def request(self, name):
        kind = self.random.choices(["object", "live", "large", "post"], [50, 35, 5, 10])[0]
        path = "/post" if kind == "post" else f"/{kind}/{self.random.randrange(COUNTS[kind])}"
        began = time.monotonic()
        status, server, cache, wrong = 0, "", "", ""
        try:
            if not self.connection:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.bench.daemon.port, timeout=wire.PATIENCE)
            self.connection.request("POST" if kind == "post" else "GET", path, body=b"x" if kind == "post" else None,
                                    headers={"X-Id": name})
            answer = self.connection.getresponse()
            server, cache = answer.getheader("X-Server", ""), answer.getheader("Cache-Status", "")
            body = answer.read()
            status = answer.status
            if status in (200, 204):
                if kind != "post" and body != content(path):
                    wrong = f"{len(body)} bytes, {body[:60]}"
                if kind != "object" and answer.getheader("X-Echo") != name:
                    wrong = f"the answer to {answer.getheader('X-Echo')}"
            elif status < 500:
                wrong = f"status {status}"
            if answer.will_close:
                self.connection.close()
                self.connection = None
        except (OSError, http.client.HTTPException) as error:
            cache = repr(error)[:100]
            if self.connection:
                self.connection.close()
            self.connection = None
        return Seen(kind, path, name, began, time.monotonic(), status, server, cache, wrong)


class Event:
    """A time in which something is wrong with servers, until all urls are in use again."""

    def __init__(self, kind, servers):
        self.kind, self.servers, self.began, self.ended = kind, servers, time.monotonic(), None

    def covers(self, seen):
        return seen.began <= self.ended and seen.ended >= self.began

    def __str__(self):
        return f"{self.kind} {', '.join(each.name for each in self.servers)} ({self.ended - self.began:.1f} s)"


class Bench:
    def __init__(self, forebay, balance, where):
        self.forebay, self.balance = forebay, balance
        self.where, self.over = where, threading.Event()
        self.programs = {"nginx": require("nginx"), "node": require("node"), "apache": require("apache2", "httpd")}
        for made in ("run", "www/object", "www/live", "www/large"):
            (where / made).mkdir(parents=True)
        for path in [f"/{kind}/{i}" for kind, count in COUNTS.items() for i in range(count)]:
            (where / f"www{path}").write_bytes(content(path))
        (where / "www/health").write_text("done")
        self.servers, self.daemon, self.events, self.clients = [], None, [], []

    def start(self):
        for kind, name in ((Nginx, "nginx"), (Node, "node"), (Apache, "apache")):
            self.servers.append(kind(self, name))
            self.servers[-1].start()
        urls = ", ".join(f'"{each.url}"' for each in self.servers)
        self.daemon = processes.Daemon(self.forebay, self.where / "forebay",
                                       FOREBAY.format(urls=urls, balance=self.balance))
        for server in self.servers:
            processes.until(lambda: self.up(server), f"{server.name} is up")

    def stop(self):
        self.over.set()
        for client in self.clients:
            client.join(wire.PATIENCE)
        wrong = self.daemon.stop() if self.daemon else ""
        for server in self.servers:
            server.stop()
        return wrong

    def up(self, server):
        return self.daemon.metric("forebay_origin_up", url=server.url) == 1

    def all_up(self):
        return all(self.up(each) for each in self.servers)

    def event(self, kind, *servers):
        event = Event(kind, servers)
        self.events.append(event)
        try:
            if kind == "slow":
                servers[0].slow(2.5)
            else:
                for server in servers:
                    server.signal(signal.SIGSTOP) if kind == "freeze" else server.kill()
                for server in servers:
                    processes.until(lambda: not self.up(server), f"{server.name} is out of use ({kind})")
                time.sleep(1)
                for server in servers:
                    server.signal(signal.SIGCONT) if kind == "freeze" else server.start()
            processes.until(self.all_up, f"all urls are in use again ({kind})")
        finally:
            event.ended = time.monotonic()
        print(f"     {event}", flush=True)

    def chaos(self, seconds):
        end = time.monotonic() + seconds
        nginx, node, apache = self.servers
        turns = [("kill", nginx), ("freeze", node), ("slow", apache),
                 ("kill", apache), ("freeze", nginx), ("slow", node),
                 ("kill", node), ("freeze", apache), ("slow", nginx),
                 ("kill", nginx, node), ("freeze", apache, node)]
        for i, turn in enumerate(itertools.cycle(turns)):
            if i >= 3 and time.monotonic() > end:
                break
            self.event(*turn)
        self.event("kill all:", *self.servers)

    def share(self):
        """How many of 90 requests each server answers."""
        counts = collections.Counter()
        for i in range(90):
            counts[wire.ask(self.daemon.port, "GET", f"/live/{i % COUNTS['live']}").get("X-Server")] += 1
        return [counts[each.name] for each in self.servers]

    def gauges(self):
        """What still goes on."""
        metrics = self.daemon.metrics()
        return {name: sum(value for _, value in metrics[name]) for name in (
            "forebay_connections", "forebay_requests_in_flight", "forebay_origin_requests_in_flight",
            "forebay_origin_connections", "forebay_coalesced_waiting")}


def judge(bench, memory):
    """The sentences that are false."""
    wrong = []

    def expect(condition, what):
        if not condition:
            wrong.append(what)

    def examples(found):
        return f"{len(found)}, such as " + "; ".join(
            f"{each.path} from {each.began - zero:.2f} to {each.ended - zero:.2f} s: "
            f"{each.status or 'broken'} {each.wrong} {each.cache}" for each in found[:5])

    zero = bench.events[0].began
    seen = [each for client in bench.clients for each in client.seen]
    everything = bench.events[-1]
    for client in bench.clients:
        expect(client.error is None, f"a client ended with {client.error!r}")
    bad = [each for each in seen if each.wrong]
    expect(not bad, f"wrong answers: {examples(bad)}")

    failed = [each for each in seen if each.status == 0 or each.status >= 500]
    objects = [each for each in failed if each.kind == "object"]
    expect(not objects, f"failures for what is stored: {examples(objects)}")
    live = [each for each in failed if each.kind == "live" and not everything.covers(each)]
    expect(not live, f"failures while a url was healthy: {examples(live)}")
    broken = [each for each in failed if each.kind in ("live", "post") and each.status == 0]
    expect(not broken, f"broken connections: {examples(broken)}")
    # An answer that has begun can be cut by the death of its server, and by nothing else.
    killed = [event for event in bench.events if event.kind != "slow"]
    large = [each for each in failed if each.kind == "large" and not any(event.covers(each) for event in killed)]
    expect(not large, f"cut without reason: {examples(large)}")
    refused = [each for each in failed if each.kind == "large" and each.status != 0 and not everything.covers(each)]
    expect(not refused, f"failures while a url was healthy: {examples(refused)}")
    for event in killed[:-1]:
        cut = [each for each in failed if each.kind == "large" and each.status == 0 and event.covers(each)]
        expect(len(cut) <= CLIENTS * len(event.servers), f"cut during {event}: {examples(cut)}")
        # Each client may have one on its way to each server, and the connections of both workers are found out dead.
        posts = [each for each in failed if each.kind == "post" and event.covers(each)]
        expect(len(posts) <= 2 * CLIENTS * len(event.servers), f"failed POSTs during {event}: {examples(posts)}")
    lost = [each for each in failed if each.kind == "post" and not any(event.covers(each) for event in killed)]
    expect(not lost, f"failed POSTs without reason: {examples(lost)}")

    delivered = collections.Counter(itertools.chain.from_iterable(server.posts() for server in bench.servers))
    twice = [name for name, count in delivered.items() if count > 1]
    expect(not twice, f"POSTs that came twice: {twice[:10]}")
    # These two write it down before they answer.
    missing = [each for each in seen if each.kind == "post" and each.status in (200, 204) and
               each.server in ("node", "apache") and each.id not in delivered]
    expect(not missing, f"POSTs that were answered and never came: {examples(missing)}")

    before, after = memory
    expect(after <= before * 1.5 + MEMORY_GROWTH, f"memory grew from {before / 1e6:.0f} to {after / 1e6:.0f} MB")
    said = bench.daemon.process.said()
    for server in {each for event in killed for each in event.servers}:
        lines = [line for line in said.splitlines() if server.url in line]
        expect(any("is out of use" in line for line in lines), f"no line says that {server.name} is out of use")
        expect(any("answers again" in line or "is in use again" in line for line in lines),
               f"no line says that {server.name} is back")

    metric = bench.daemon.metric
    failures = collections.Counter(f"{each.kind} {each.status or 'broken'}" for each in failed)
    stale = sum("stale-if-error" in each.cache for each in seen)
    print(f"     {len(seen)} requests, {int(metric('forebay_origin_retries_total'))} sent again, {stale} stale, "
          f"{sum(each.kind == 'post' for each in seen)} POSTs, "
          f"the longest took {max(each.ended - each.began for each in seen):.2f} s")
    print(f"     failed: {', '.join(f'{kind}: {count}' for kind, count in sorted(failures.items())) or 'none'}")
    reasons = {labels["reason"]: 0 for labels, _ in bench.daemon.metrics().get("forebay_origin_errors_total", [])}
    for reason in reasons:
        reasons[reason] = int(metric("forebay_origin_errors_total", reason=reason))
    print(f"     attempts that failed: {', '.join(f'{name}: {count}' for name, count in reasons.items() if count)}")
    print(f"     memory: {before / 1e6:.0f} MB, then {after / 1e6:.0f} MB")
    return wrong


def run(bench, seconds):
    """The sentences that are false."""
    bench.start()
    for i in range(COUNTS["object"]):
        answer = wire.ask(bench.daemon.port, "GET", f"/object/{i}")
        if answer.status != 200:
            raise processes.Failed(f"/object/{i}: {answer}")
    bench.clients = [Client(bench, i) for i in range(CLIENTS)]
    for client in bench.clients:
        client.start()
    processes.until(lambda: sum(len(each.seen) for each in bench.clients) >= 3 * RATE, "the load")
    before = bench.daemon.metric("process_resident_memory_bytes")
    bench.chaos(seconds)
    bench.over.set()
    for client in bench.clients:
        client.join(wire.PATIENCE)
        if client.is_alive():
            raise processes.Failed("a client waits for ever")
    wrong = judge(bench, (before, bench.daemon.metric("process_resident_memory_bytes")))
    shares = []

    def even():
        shares.append(bench.share())
        return bench.balance == "hash" or all(20 <= each <= 40 for each in shares[-1])
    for what, condition in (("all urls are in use", bench.all_up), ("the share is even", even),
                            ("nothing goes on", lambda: not any(bench.gauges().values()))):
        try:
            processes.until(condition, what)
        except processes.Failed as error:
            wrong.append(f"{error}: {shares[-3:]} {bench.gauges()}")
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("forebay")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--balance", choices=["round_robin", "least_connections", "hash"], default="round_robin")
    arguments = parser.parse_args()
    # What AddressSanitizer keeps of freed memory would hide what the daemon keeps.
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8"
    folder = processes.folder()
    bench, wrong, ended = None, [], ""
    try:
        bench = Bench(str(pathlib.Path(arguments.forebay).resolve()), arguments.balance, pathlib.Path(folder.name))
        wrong = run(bench, arguments.seconds)
    except processes.Missing as error:
        print(error)
        return 1 if os.environ.get("FOREBAY_ORIGINS") == "required" else 77
    except (processes.Failed, OSError, http.client.HTTPException) as error:
        wrong.append(repr(error))
    finally:
        ended = bench.stop() if bench else ""
    if ended:
        wrong.append("the daemon did not end as it should")
    for each in wrong:
        print(f"FAIL {each}")
    if wrong and bench.daemon:
        print(bench.daemon.process.said())
    if not wrong:
        print("ok   nobody noticed what could be hidden")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
