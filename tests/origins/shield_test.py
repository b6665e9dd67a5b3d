"""An origin that cannot do much at a time (Node.js) behind Forebay with `max_concurrency`, `ramp` and a circuit. The
origin counts what it has to do at a time, and refuses what is more than it can do.

    python3 tests/origins/shield_test.py build/asan/forebay
    python3 tests/origins/shield_test.py build/asan/forebay --only ramp
"""

import argparse
import collections
import http.client
import json
import os
import pathlib
import signal
import socket
import statistics
import struct
import sys
import threading
import time

import processes
import wire
from server import require

NODE = """\
const http = require('http');
const [address, port] = process.argv.slice(2);
const seconds = () => performance.now() / 1000;
const lifetimes = { fresh: 'max-age=600', swr: 'max-age=1, stale-while-revalidate=600',
                    sie: 'max-age=1, stale-if-error=600', none: 'no-store',
                    long: 'max-age=600, stale-while-revalidate=600' };
let settings = { delay: 50, cap: 1e9 }, seen, instances, lag = 0, ticked = seconds();
const reset = () => { seen = { now: seen ? seen.now : 0, most: 0, total: 0, refused: 0, grown: [] }; instances = []; };
reset();
setInterval(() => { lag = Math.max(lag, seconds() - ticked - 0.02); ticked = seconds(); }, 20);
// As a function that scales: at most `add` new instances in any `window`.
const has_room = () => {
  if (seen.now > settings.cap) return false;
  if (!settings.add || seen.now <= instances.length) return true;
  if (instances.filter(t => t > seconds() - settings.window).length >= settings.add) return false;
  instances.push(seconds());
  return true;
};
http.createServer((q, r) => {
  const [path, query] = q.url.split('?');
  if (path == '/control') {
    if (query) { settings = { ...settings, ...JSON.parse(decodeURIComponent(query)) }; reset(); }
    r.end(JSON.stringify({ ...seen, lag }));
    lag = 0;
    return;
  }
  seen.total++; seen.now++;
  let open = true;
  const end = () => { if (open) seen.now--; open = false; };
  r.on('close', end);
  if (seen.now > seen.most) { seen.most = seen.now; seen.grown.push(seconds()); }
  r.setHeader('Cache-Control', lifetimes[path.split('/')[1]]);
  if (!has_room()) {
    seen.refused++; r.statusCode = 503; end(); r.end('refused');
    return;
  }
  setTimeout(() => { end(); r.end('this is ' + path); }, settings.delay);
}).listen(+port, address);
"""


class Origin:
    def __init__(self, where):
        self.where, self.node = where, require("node")
        self.address, self.port = processes.own_address()
        self.url = f"http://{self.address}:{self.port}"
        (where / "shield.js").write_text(NODE)

    def start(self):
        self.process = processes.Process([self.node, "shield.js", self.address, str(self.port)],
                                         self.where / "node.log", cwd=self.where, parting=signal.SIGKILL)
        processes.until(lambda: self.answers() or not self.process.running, "node")
        if not self.process.running:
            raise processes.Failed(f"node does not start:\n{self.process.said()}")

    def control(self, **settings):
        """What it has seen since the last settings; settings begin the count anew."""
        query = "?" + "".join(f"%{ord(c):02x}" for c in json.dumps(settings)) if settings else ""
        connection = http.client.HTTPConnection(self.address, self.port, timeout=wire.PATIENCE)
        try:
            connection.request("GET", "/control" + query)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def answers(self):
        try:
            return bool(self.control())
        except OSError:
            return False

    def signal(self, number):
        os.killpg(self.process.process.pid, number)

    def stop(self):
        if hasattr(self, "process") and self.process.running:
            self.signal(signal.SIGCONT)
            self.process.stop()


# One answer, or the error in its place.
Seen = collections.namedtuple("Seen", "target answer error began ended")


def ask(daemon, target):
    began = time.monotonic()
    answer = error = None
    try:
        answer = wire.ask(daemon.port, "GET", target)
        if answer.status == 200 and answer.text != "this is " + target:
            error = f"wrong body: {answer.text[:60]}"
    except (OSError, http.client.HTTPException) as caught:
        error = repr(caught)
    return Seen(target, answer, error, began, time.monotonic())


class Crowd:
    """Clients at the same time, a thread for each. `targets`: one request of each client; or, with `until`, what all of
    them ask for again and again until that event."""

    def __init__(self, daemon, targets, clients=None, until=None):
        self.daemon, self.targets, self.until = daemon, targets, until
        self.seen, self.began = [], time.monotonic()
        clients = clients or len(targets)
        self.barrier = threading.Barrier(clients)
        self.threads = [threading.Thread(target=self.client, args=(i, clients), daemon=True) for i in range(clients)]
        for thread in self.threads:
            thread.start()

    def client(self, i, clients):
        self.barrier.wait(wire.PATIENCE)
        if not self.until:
            self.seen.append(ask(self.daemon, self.targets[i]))
            return
        while not self.until.is_set():
            self.seen.append(ask(self.daemon, self.targets[i % len(self.targets)]))
            i += clients + 1
            time.sleep(0.01)

    @property
    def busy(self):
        return any(thread.is_alive() for thread in self.threads)

    def join(self):
        for thread in self.threads:
            thread.join(2 * wire.PATIENCE)
        expect(not self.busy, "a client waits for ever")
        self.took = time.monotonic() - self.began
        return self


CASES = []


def case(function):
    CASES.append(function)
    return function


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def examples(found):
    return f"{len(found)}, such as " + "; ".join(
        f"{each.target} after {each.ended - each.began:.2f} s: {each.error or each.answer}" for each in found[:3])


def expect_all_good(seen):
    bad = [each for each in seen if each.error or each.answer.status != 200]
    expect(not bad, f"failed: {examples(bad)}")


def is_later(seen):
    """A 503 that says when to come again."""
    return seen.answer and seen.answer.status == 503 and seen.answer.get("Retry-After", "").isdigit()


def is_stale(seen, why):
    return seen.answer and seen.answer.status == 200 and seen.answer.cache.get("detail") == why


def names(kind, count):
    return [f"/{kind}/{i}" for i in range(count)]


def configuration(origin, limits, route="first", first_byte="60s"):
    """By default nothing but what `limits` says ends a wait."""
    return f"""\
origins:
  function:
    url: {origin.url}
    retries: 0
    timeouts: {{ connect: 60s, first_byte: {first_byte} }}
    {limits}
origin: function
routes:
  - {{ name: {route}, path: /**, coalesce: {{ wait: 60s }} }}
"""


class Running:
    """Forebay with these limits, for one case."""

    count = 0

    def __init__(self, bench, limits, **more):
        Running.count += 1
        self.daemon = processes.Daemon(bench.forebay, bench.where / f"forebay-{Running.count}",
                                       configuration(bench.origin, limits, **more))

    def __enter__(self):
        return self.daemon

    def __exit__(self, kind, *_):
        try:
            if not kind:
                processes.until(lambda: not any(self.gauges().values()), f"everything ends: {self.gauges()}")
        finally:
            wrong = self.daemon.stop()
        if kind and not wrong:
            print(self.daemon.process.said())
        if wrong:
            raise processes.Failed(wrong)

    def gauges(self):
        """What still goes on."""
        metrics = self.daemon.metrics()
        return {name: sum(value for _, value in metrics.get(name, [])) for name in (
            "forebay_origin_places_used", "forebay_origin_places_waiting", "forebay_origin_requests_in_flight",
            "forebay_requests_in_flight", "forebay_coalesced_waiting")}


@case
def cold_start(bench):
    """400 clients find an empty cache: the origin has 10 requests at a time, and hits do not wait for them."""
    bench.origin.control(delay=100, cap=10)
    with Running(bench, "max_concurrency: 10\n    pool: { queue_timeout: 60s }") as daemon:
        ask(daemon, "/fresh/warm")
        crowd, hits = Crowd(daemon, names("fresh", 200) * 2), []
        while crowd.busy:
            hits.append(ask(daemon, "/fresh/warm"))
            time.sleep(0.01)
        seen = bench.origin.control()
        crowd.join()
        expect_all_good(crowd.seen + hits)
        expect(seen["most"] <= 10 and seen["refused"] == 0, f"too many at a time: {seen['most']}")
        expect(seen["total"] == 201, f"{seen['total']} fetches of 201 keys")
        wait = statistics.median(each.ended - each.began for each in hits)
        expect(wait < crowd.took / 4, f"hits take {wait:.2f} s, the queue {crowd.took:.2f} s")
        return (f"{len(crowd.seen)} clients in {crowd.took:.1f} s, at most {seen['most']} at a time; "
                f"{len(hits)} hits in {wait * 1000:.0f} ms")


@case
def all_keys_change(bench):
    """A reload that changes every key, and one that lowers the limit, under load."""
    bench.origin.control(delay=50, cap=10)
    over, keys = threading.Event(), names("fresh", 150)

    def limited(limit, route):
        return configuration(bench.origin, f"max_concurrency: {limit}\n    pool: {{ queue_timeout: 60s }}", route)
    with Running(bench, "max_concurrency: 10\n    pool: { queue_timeout: 60s }") as daemon:
        try:
            crowd = Crowd(daemon, keys, clients=40, until=over)
            processes.until(lambda: bench.origin.control()["total"] >= len(keys), "the first fetches")
            daemon.reload(limited(10, "second"))
            processes.until(lambda: bench.origin.control()["total"] >= 2 * len(keys), "all keys again")
            before = bench.origin.control()
            daemon.reload(limited(4, "third"))
            # Who is in flight stays.
            processes.until(lambda: daemon.metric("forebay_origin_places_used") <= 4, "the lower limit")
            bench.origin.control(cap=4)
            daemon.reload(limited(4, "fourth"))
            processes.until(lambda: bench.origin.control()["total"] >= len(keys), "all keys once more")
        finally:
            over.set()
        crowd.join()
        expect_all_good(crowd.seen)
        for limit, seen in ((10, before), (4, bench.origin.control())):
            expect(seen["most"] <= limit and seen["refused"] == 0, f"{seen['most']} at a time, {limit} are allowed")
        return f"{len(crowd.seen)} requests, at most {before['most']} at a time, then {bench.origin.control()['most']}"


@case
def expire_together(bench):
    """100 responses expire at the same time: 200 clients get them stale at once, and 10 at a time are refreshed."""
    bench.origin.control(delay=0, cap=10)
    with Running(bench, "max_concurrency: 10\n    pool: { queue_timeout: 60s }") as daemon:
        keys = names("swr", 100)
        expect_all_good(Crowd(daemon, keys).join().seen)
        time.sleep(1.5)  # their age
        bench.origin.control(delay=500)
        began = time.monotonic()
        crowd = Crowd(daemon, keys * 2).join()
        processes.until(lambda: bench.origin.control()["total"] >= 100, "all are refreshed")
        processes.until(lambda: bench.origin.control()["now"] == 0, "the last refresh")
        took, seen = time.monotonic() - began, bench.origin.control()
        expect_all_good(crowd.seen)
        late = [each for each in crowd.seen if not is_stale(each, "stale-while-revalidate") and not each.answer.hit]
        expect(not late, f"not from the store: {examples(late)}")
        wait = statistics.median(each.ended - each.began for each in crowd.seen)
        expect(wait < took / 4, f"stale answers take {wait:.2f} s, all refreshes {took:.2f} s")
        expect(seen["most"] <= 10 and seen["refused"] == 0, f"too many at a time: {seen['most']}")
        return f"answers in {wait * 1000:.0f} ms, refreshes in {took:.1f} s, at most {seen['most']} at a time"


@case
def purge_of_everything(bench):
    """Under load everything is purged, hard and softly: the origin has its 10 requests at a time, and after a soft purge
    nobody waits for it."""
    bench.origin.control(delay=0, cap=10)
    over, keys = threading.Event(), names("long", 150)
    with Running(bench, "max_concurrency: 10\n    pool: { queue_timeout: 60s }") as daemon:
        expect_all_good(Crowd(daemon, keys).join().seen)
        parts, told = {}, []
        try:
            crowd = Crowd(daemon, keys, clients=40, until=over)
            for mode in ("soft", "hard"):
                bench.origin.control(delay=200)
                begin = len(crowd.seen)
                purged = daemon.purge(all=True, mode=mode)["purged"]
                expect(purged == len(keys), f"{mode}: {purged} of {len(keys)} purged")
                processes.until(lambda: bench.origin.control()["total"] >= len(keys), f"{mode}: all keys again")
                processes.until(lambda: bench.origin.control()["now"] == 0, f"{mode}: the last fetch")
                parts[mode], seen = crowd.seen[begin:], bench.origin.control()
                expect(seen["most"] <= 10 and seen["refused"] == 0, f"{mode}: {seen['most']} at a time")
                expect(seen["total"] == len(keys), f"{mode}: {seen['total']} fetches of {len(keys)} keys")
                told.append(f"{mode}: {len(parts[mode])} requests, at most {seen['most']} at a time")
        finally:
            over.set()
        crowd.join()
        expect_all_good(crowd.seen)
        stale = [each for each in parts["soft"] if is_stale(each, "stale-while-revalidate")]
        waited = [each for each in parts["soft"] if each not in stale and not each.answer.hit]
        expect(stale and not waited, f"{len(stale)} stale; not from the store: {examples(waited)}")
        expect(any(not each.answer.hit for each in parts["hard"]), "after a hard purge all were hits")
        return "; ".join(told)


@case
def queue_too_slow(bench):
    """What waits too long is a stale answer, else 503 with Retry-After."""
    bench.origin.control(delay=0, cap=2)
    with Running(bench, "max_concurrency: 2\n    pool: { queue_timeout: 300ms }") as daemon:
        stored, others = names("sie", 20), names("none", 20)
        for key in stored:
            expect_all_good([ask(daemon, key)])
        time.sleep(1.5)  # their age
        bench.origin.control(delay=3000)
        crowd = Crowd(daemon, stored + others).join()
        seen = bench.origin.control()
        expect(seen["most"] <= 2 and seen["refused"] == 0, f"too many at a time: {seen['most']}")
        expect_all_good([each for each in crowd.seen if each.target in stored])
        stale = [each for each in crowd.seen if is_stale(each, "stale-if-error")]
        later = [each for each in crowd.seen if is_later(each)]
        bad = [each for each in crowd.seen if each not in later and (each.error or each.answer.status != 200)]
        expect(not bad, f"failed: {examples(bad)}")
        expect(stale and later, f"{len(stale)} stale, {len(later)} 503")
        counted = daemon.metric("forebay_origin_errors_total", reason="queue")
        expect(counted == len(stale) + len(later), f"{counted} counted, {len(stale)} stale, {len(later)} 503")
        return f"{len(stale)} stale, {len(later)} 503, {len(crowd.seen) - len(stale) - len(later)} fetched"


@case
def clients_leave(bench):
    """Clients that leave the queue, or leave while they are served, take no place with them."""
    bench.origin.control(delay=300, cap=1000)
    with Running(bench, "max_concurrency: 5\n    pool: { queue_timeout: 60s }") as daemon:
        for kind in ("fresh", "none"):
            clients = [socket.create_connection(("127.0.0.1", daemon.port), wire.PATIENCE) for _ in range(100)]
            for i, client in enumerate(clients):
                client.sendall(f"GET /{kind}/left-{i % 60} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            processes.until(lambda: daemon.metric("forebay_origin_places_waiting") > 20, "the queue")
            for i, client in enumerate(clients):
                if i % 2:  # by a reset
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
            expect_all_good(Crowd(daemon, names(kind, 20)).join().seen)
        return f"{bench.origin.control()['total']} of 240 requests came"


@case
def ramp(bench):
    """The concurrency grows by 5 in any 2 s, and an origin that grows so fast never refuses."""
    add, every, tolerance = 5, 2.0, 0.5
    bench.origin.control(delay=400, cap=1000, add=add + 1, window=every - tolerance)
    try:
        limits = (f"max_concurrency: 100\n    ramp: {{ add: {add}, every: {every:.0f}s }}\n"
                  "    pool: { queue_timeout: 60s }")
        with Running(bench, limits) as daemon:
            crowd = Crowd(daemon, names("fresh", 200)).join()
            seen = bench.origin.control()
            expect_all_good(crowd.seen)
            expect(seen["refused"] == 0, f"{seen['refused']} refused")
            # The origin may hear of a request late.
            late = tolerance + seen["lag"]
            grown = [when - seen["grown"][0] for when in seen["grown"]]
            for i, when in enumerate(grown):
                within = sum(when <= other < when + every - late for other in grown)
                expect(within <= add, f"{within} more within {every - late:.2f} s: {grown}")
                expect(i < add * (1 + int((when + late) / every)), f"{i + 1} after {when:.2f} s: {grown}")
            expect(seen["most"] > add, f"it does not grow: {seen['most']}")
            steps = ", ".join(f"{when:.1f}" for when in grown[::add])
            return f"{len(crowd.seen)} requests in {crowd.took:.1f} s, {add} more after {steps} s"
    finally:
        bench.origin.control(add=0)


@case
def dead_origin(bench):
    """The only url dies, then freezes. Clients get stale answers, else errors at once, and one request tries it."""
    bench.origin.control(delay=5, cap=1000)
    with Running(bench, "passive: { failures: 3, hold: 1s }", first_byte="1s") as daemon:
        stored, others = names("sie", 10), names("none", 10)
        expect_all_good(Crowd(daemon, stored).join().seen)
        time.sleep(1.5)  # their age
        told = []
        # One at a time, and the one that is ending: it is counted a moment after the next may begin. A frozen one lets
        # the next one try after a second, when it times out here.
        most = 2
        for kind, number in (("killed", signal.SIGKILL), ("frozen", signal.SIGSTOP)):
            over = threading.Event()
            try:
                bench.origin.signal(number)
                opened = daemon.metric("forebay_origin_circuit_opened_total")
                crowd = Crowd(daemon, [each for pair in zip(stored, others) for each in pair], clients=20, until=over)
                processes.until(lambda: daemon.metric("forebay_origin_circuit_opened_total") > opened, "the circuit")
                # Those that were under way before it opened.
                processes.until(lambda: daemon.metric("forebay_origin_requests_in_flight") <= most, "the first failures")
                attempts, began = daemon.metric("forebay_origin_requests_total", code="error"), time.monotonic()
                while time.monotonic() < began + 3:
                    flying = daemon.metric("forebay_origin_requests_in_flight")
                    expect(flying <= most, f"{flying} attempts at a time")
                took = time.monotonic() - began
                attempts = daemon.metric("forebay_origin_requests_total", code="error") - attempts
                expect(daemon.metric("forebay_origin_up") == 0, "it counts as up")
            finally:
                over.set()
            crowd.join()
            expect_all_good([each for each in crowd.seen if each.target in stored])
            stale = [each for each in crowd.seen if is_stale(each, "stale-if-error")]
            later = [each for each in crowd.seen if is_later(each)]
            tried = [each for each in crowd.seen if each not in later and each.target in others]
            bad = [each for each in tried if each.error or each.answer.status != (502 if kind == "killed" else 504)]
            expect(not bad, f"{kind}: {examples(bad)}")
            expect(stale and later, f"{kind}: {len(stale)} stale, {len(later)} 503")
            if kind == "killed":
                bench.origin.process.process.wait()
                bench.origin.start()
                bench.origin.control(delay=5)
            else:
                expect(attempts <= took / 1.0 + 2, f"{attempts} attempts of a second each in {took:.1f} s")
                bench.origin.signal(signal.SIGCONT)
            processes.until(lambda: ask(daemon, "/none/0").answer.status == 200, "it is back")
            expect(daemon.metric("forebay_origin_up") == 1, "it counts as down")
            expect_all_good(Crowd(daemon, stored + others).join().seen)
            told.append(f"{kind}: {len(crowd.seen)} requests, {len(later)} 503, {len(stale)} stale, "
                        f"{attempts:.0f} attempts in {took:.1f} s")
        return "; ".join(told)


class Bench:
    def __init__(self, forebay, where):
        self.forebay, self.where, self.origin = forebay, where, Origin(where)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("forebay")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    arguments = parser.parse_args()
    folder = processes.folder()
    threading.stack_size(512 * 1024)
    bench, failures = None, 0
    try:
        bench = Bench(str(pathlib.Path(arguments.forebay).resolve()), pathlib.Path(folder.name))
        bench.origin.start()
        for each in CASES:
            if arguments.only not in each.__name__:
                continue
            try:
                print(f"ok   {each.__name__}: {each(bench)}", flush=True)
            except (AssertionError, processes.Failed, OSError, http.client.HTTPException) as error:
                failures += 1
                print(f"FAIL {each.__name__}: {error}", flush=True)
                bench.origin.stop()
                bench.origin.start()
    except processes.Missing as error:
        print(error)
        return 1 if os.environ.get("FOREBAY_ORIGINS") == "required" else 77
    finally:
        if bench:
            bench.origin.stop()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
