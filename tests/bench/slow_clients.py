#!/usr/bin/env python3
"""What other clients notice of slow ones: latency of hits beside 10,000 idle or dripping connections, and beside
compression; the memory of a connection; and the delay that Forebay adds to server-sent events.

The client that measures asks at times set beforehand and counts from these times, so a request that has to wait for an
earlier answer counts its wait. Phases with and without the load alternate; each round has a daemon of its own, and
every second round has the phases in the other order. Prints a Markdown table for each kind. Nothing leaves this
machine.

    slow_clients.py build/bench/forebay [KIND...] [--rounds 5] [--seconds 10] [--connections 10000]
"""

import argparse
import ctypes
import gc
import http.server
import itertools
import json
import os
import random
import re
import resource
import selectors
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zlib

import compare
import edge

KEPT = 16  # connections of the client that measures
TEXT = 1024 * 1024
CODINGS = ("br", "zstd", "gzip")
DRIP_EVERY = 5.0  # seconds between two bytes of one connection
EVENT_EVERY = 0.01  # seconds between two events, in the mean
SHIFT = 19  # of nice values: what is measured keeps its order, and goes before other programs
HEAD = b"GET /1k HTTP/1.1\r\nHost: bench\r\n"


# ---- processes of their own, each `slow_clients.py --child NAME ARGUMENTS` -------------------------------------------

def prefer(step=0):
    """The daemon, the origin and the clients that measure go before other programs; slow clients come a step later."""
    if os.environ["SCHEDULING"] == "fifo":
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10 - step))
    elif os.environ["SCHEDULING"] == "nice":
        os.setpriority(os.PRIO_PROCESS, 0, step - SHIFT)


def child_exec(*command):
    """The process becomes the command, all threads of which are preferred."""
    prefer()
    os.execv(command[0], command)


def exact_sleep():
    gc.disable()
    ctypes.CDLL(None).prctl(29, 1, 0, 0, 0)  # PR_SET_TIMERSLACK, in ns; by default sleeps are up to 50 us too long


def tell(text="ready"):
    print(text, flush=True)


def until_told():
    sys.stdin.readline()


def read_answer(connection):
    got = receive(connection)
    while b"\r\n\r\n" not in got:
        got += receive(connection)
    if not got.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"answer: {got[:200]!r}")
    body = got.index(b"\r\n\r\n") + 4
    left = int(re.search(rb"\nContent-Length: (\d+)", got).group(1)) - (len(got) - body)
    while left > 0:
        left -= len(receive(connection))
    return b"\nConnection: close" not in got[:body]


def receive(connection):
    got = connection.recv(1 << 18)
    if not got:
        raise SystemExit("the server has closed a connection")
    return got


def child_hits(port, tls, seconds, rate):
    """Asks for the hit `rate` times a second, at most one request at a time, and prints the latencies as JSON. A daemon
    that drains ends connections in order; others follow them."""
    prefer()
    exact_sleep()
    connections = [connect(int(port), tls == "1") for _ in range(KEPT)]
    for connection in connections * 20:
        connection.send(HEAD + b"\r\n")
        read_answer(connection)
    count, rate = int(float(seconds) * float(rate)), float(rate)
    chance = random.Random(1)
    dues = [int((i + chance.random()) / rate * 1e9) for i in range(count)]
    latencies, begin = [], time.perf_counter_ns() + 100_000_000
    for due, number in zip(dues, itertools.cycle(range(KEPT))):
        due += begin
        left = due - time.perf_counter_ns()
        if left > 0:
            time.sleep(left / 1e9)
        connections[number].send(HEAD + b"\r\n")
        kept = read_answer(connections[number])
        latencies.append(time.perf_counter_ns() - due)
        if not kept:
            connections[number] = connect(int(port), tls == "1")
    tell(json.dumps(latencies))


def connect(port, tls, number=0):
    plain = socket.socket()
    plain.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
    plain.bind((f"127.0.0.{2 + number % 8}", 0))
    plain.settimeout(60)
    plain.connect(("127.0.0.1", port))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not tls:
        return plain
    return CLIENT.wrap_socket(plain)


CLIENT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CLIENT.check_hostname, CLIENT.verify_mode = False, ssl.CERT_NONE


def child_hold(port, tls, count, drip):
    """Opens connections. Idle ones have had one answer; the others send a byte of a head every few seconds."""
    prefer()
    held = [connect(int(port), tls == "1", i) for i in range(int(count))]
    for connection in held:
        connection.send(HEAD + (b"X-Slow: " if drip == "1" else b"\r\n"))
        if drip != "1":
            read_answer(connection)
    prefer(5)
    exact_sleep()
    tell()
    stop = threading.Event()
    waiter = threading.Thread(target=lambda: (until_told(), stop.set()), daemon=True)
    waiter.start()
    slices = len(held)
    while not stop.is_set():
        begin = time.monotonic()
        for i in range(slices):
            if drip == "1":
                for connection in held[i::slices]:
                    connection.send(b"a")
            left = begin + (i + 1) * DRIP_EVERY / slices - time.monotonic()
            if stop.wait(max(left, 0)):
                break
    # All of them must be open still: nothing to read but TLS tickets, which the answer was behind.
    ended = 0
    for connection in held:
        connection.setblocking(False)
        try:
            ended += connection.recv(1) == b""
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except OSError:
            ended += 1
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # no TIME_WAIT
    for connection in held:
        connection.close()
    tell(str(ended))
    os._exit(0)


def child_burn():
    """A compression in another process, of the same priority."""
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    os.setpriority(os.PRIO_PROCESS, 0, 10 if os.environ["SCHEDULING"] == "same" else 10 - SHIFT)
    text = words()
    tell()
    while True:
        zlib.compress(text, 6)


def child_ask(port, prefix, rate):
    """One connection: for ever a new text, then its hits with each coding, so that each is made."""
    prefer(5)
    connection, begin = connect(int(port), False), time.monotonic()
    tell()
    for number in itertools.count():
        time.sleep(max(0.0, begin + number / float(rate) - time.monotonic()))
        for coding in ("identity", *CODINGS):
            connection.send(f"GET {prefix}/{os.getpid()}-{number} HTTP/1.1\r\nHost: bench\r\n"
                            f"Accept-Encoding: {coding}\r\n\r\n".encode())
            read_answer(connection)


def child_events(direct, through, seconds):
    """Reads two streams of events, one from the origin and one through the proxy; prints the delays of both."""
    prefer()
    exact_sleep()
    selector, delays = selectors.DefaultSelector(), {}
    for name, port in (("direct", direct), ("through", through)):
        connection = connect(int(port), False)
        connection.send(b"GET /events HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n")
        selector.register(connection, selectors.EVENT_READ, name)
        delays[name] = []
    until = time.perf_counter_ns() + int((float(seconds) + 0.2) * 1e9)
    begin = until - int(float(seconds) * 1e9)
    while time.perf_counter_ns() < until:
        for key, _ in selector.select(1):
            got = key.fileobj.recv(65536)
            now = time.perf_counter_ns()
            if not got:
                raise SystemExit("a stream has ended")
            if now > begin:
                delays[key.data] += [now - int(sent) for sent in re.findall(rb"data: (\d+)\n\n", got)]
    tell(json.dumps(delays))


def words():
    chance = random.Random(2)
    known = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 10))) for _ in range(5000)]
    return " ".join(chance.choices(known, k=TEXT // 4)).encode()[:TEXT]


class OriginHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    text = words()

    def do_GET(self):
        if self.path == "/events":
            return self.events()
        body = b"x" * 1024 if self.path == "/1k" else self.path.encode().ljust(64) + self.text[64:]
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=3600")
        self.end_headers()
        self.wfile.write(body)

    def events(self):
        """Events with the time at which they are sent."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            time.sleep(random.expovariate(1 / EVENT_EVERY))
            try:
                self.connection.send(b"data: %d\n\n" % time.perf_counter_ns())
            except OSError:
                return

    def log_message(self, *_):
        pass


def child_origin():
    prefer()
    exact_sleep()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OriginHandler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    tell(str(server.server_address[1]))
    until_told()
    os._exit(0)


class Child:
    """One of the processes above; its lines are read with `line`."""

    def __init__(self, name, *arguments):
        self.process = subprocess.Popen([sys.executable, __file__, "--child", name, *map(str, arguments)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def line(self):
        got = self.process.stdout.readline()
        if not got:
            raise SystemExit(f"a child has ended: {self.process.args}")
        return got.strip()

    def end(self, kill=False):
        """Gives what the child says at its end."""
        if kill:
            self.process.terminate()
        try:
            said, _ = self.process.communicate("\n" if not kill else None, timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            said, _ = self.process.communicate()
        return said.strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


# ---- the daemon ------------------------------------------------------------------------------------------------------

class Daemon:
    """Forebay with two threads. No deadline ends a slow client within the measurement."""

    def __init__(self, binary, origin, folder):
        self.clear, self.tls, self.admin = compare.free_port(), compare.free_port(), compare.free_port()
        cert, key = edge.certificate(folder)
        config = os.path.join(folder, "forebay.yaml")
        with open(config, "w") as file:
            file.write(f"""\
listen:
  - address: 127.0.0.1:{self.clear}
  - {{address: "127.0.0.1:{self.tls}", tls: {{cert: {cert}, key: {key}}}}}
origin: http://127.0.0.1:{origin}
admin: {{listen: "127.0.0.1:{self.admin}"}}
server: {{threads: 2, timeouts: {{header: 1h, idle: 1h}}}}
log: {{access: {{output: "off"}}}}
routes:
  - {{path: /text/**, compress: [br, zstd, gzip]}}
  - {{path: /**}}
""")
        self.server = compare.Server("Forebay", "", self.clear, [
            sys.executable, os.path.abspath(__file__), "--child", "exec", binary, "run", "-c", config],
                                     os.path.join(folder, "forebay.log"))

    def __enter__(self):
        try:
            self.server.wait(b"x" * 1024)
        except BaseException:
            self.server.stop()
            raise
        return self

    def __exit__(self, *_):
        self.server.stop()

    def resident(self):
        with open(f"/proc/{self.server.process.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1)) * 1024

    def threads(self):
        return list(map(int, os.listdir(f"/proc/{self.server.process.pid}/task")))

    def find_compressor(self):
        """Its thread has nice 10. Those of the others have been shifted already, so it is, too."""
        for thread in self.threads():
            if os.getpriority(os.PRIO_PROCESS, thread) == 10:
                if os.environ["SCHEDULING"] != "same":
                    os.setpriority(os.PRIO_PROCESS, thread, 10 - SHIFT)
                return thread
        return None

    def compression(self):
        """Forms made so far, and the CPU seconds for them."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return [sum(float(n) for n in re.findall(name + r"[^}]*\} (\S+)", text))
                for name in ('forebay_compress_total{.*"made"', "forebay_compress_cpu_seconds_total{")]


# ---- phases ----------------------------------------------------------------------------------------------------------

def quantile(values, q):
    return sorted(values)[min(len(values) - 1, int(len(values) * q))]


class Phase:
    """The latencies of one phase, in microseconds. `calm` is the p99 of each 500 in turn, as of a second, and of these
    the median: other programs of the machine that disturb fewer than half of the seconds do not change it."""

    def __init__(self, nanoseconds):
        values = [n / 1000 for n in nanoseconds]
        seconds = [values[i:i + 500] for i in range(0, max(1, len(values) - 499), 500)]
        self.calm = statistics.median(quantile(second, 0.99) for second in seconds)
        self.p50, self.p99, self.p999, self.most = (quantile(values, q) for q in (0.5, 0.99, 0.999, 1))
        self.slow = sum(v > 1000 for v in values) / len(values)


def hits(daemon, options, tls=False):
    with Child("hits", daemon.tls if tls else daemon.clear, int(tls), options.seconds, options.rate) as child:
        return Phase(json.loads(child.line()))


def held(daemon, options, memory, tls=False, drip=False):
    """A phase beside held connections. The memory of a connection is what the daemon has more than before."""
    before = daemon.resident()
    with Child("hold", daemon.tls if tls else daemon.clear, int(tls), options.connections, int(drip)) as child:
        child.line()
        time.sleep(5)  # a connection that is idle for 2 s gives its buffers back
        memory.append((daemon.resident() - before) / options.connections / 1024)
        phase = hits(daemon, options, tls)
        ended = child.end()
    if ended != "0":
        raise SystemExit(f"{ended} of the connections were ended by the server")
    time.sleep(1)
    return phase


class Trace:
    """How long the daemon's other threads wait while the compressor has the processor that they are to run on. Told by
    the kernel's scheduler, through perf."""

    SWITCH = re.compile(r"prev_pid=(\d+) prev_prio=\d+ prev_state=(\S+) ==> .* next_pid=(\d+)")
    WAKEUP = re.compile(r" pid=(\d+) .*target_cpu=(\d+)")

    def __init__(self, folder):
        self.file = os.path.join(folder, "perf.data")
        self.waits, self.behind, self.ran, self.seconds = 0, [], 0.0, 0.0

    def __call__(self, threads, compressor):
        self.threads, self.compressor = threads, compressor
        return self

    def __enter__(self):
        watched = [*self.threads, self.compressor]
        switches = " || ".join(f"prev_pid == {t} || next_pid == {t}" for t in watched)
        wakeups = " || ".join(f"pid == {t}" for t in watched)
        self.perf = subprocess.Popen(["perf", "record", "-q", "-a", "-o", self.file, "-e", "sched:sched_switch",
                                      "--filter", switches, "-e", "sched:sched_wakeup", "--filter", wakeups],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)

    def __exit__(self, *_):
        self.perf.send_signal(signal.SIGINT)
        self.perf.wait(60)
        self.read(subprocess.run(["perf", "script", "-i", self.file, "--ns", "-F", "cpu,time,event,trace"],
                                 capture_output=True, text=True, check=True).stdout)

    def read(self, text):
        waiting, turn, turns = {}, None, []
        line = re.compile(r"\s*\[(\d+)\]\s+(\d+\.\d+):\s+sched:(\w+): (.*)")
        times = []
        for cpu, at, event, rest in (m.groups() for m in map(line.match, text.splitlines()) if m):
            cpu, at = int(cpu), float(at) * 1e6
            times.append(at)
            if event == "sched_wakeup":
                thread, target = map(int, self.WAKEUP.search(" " + rest).groups())
                if thread in self.threads and thread not in waiting:
                    waiting[thread] = at, target
                continue
            before, state, after = self.SWITCH.search(rest).groups()
            before, after = int(before), int(after)
            if before in self.threads:
                waiting.pop(before, None)
                if state.startswith("R"):
                    waiting[before] = at, cpu
            if before == self.compressor and turn:
                turns.append((turn[0], at, cpu))
                self.ran, turn = self.ran + at - turn[0], None
            if after == self.compressor:
                turn = at, cpu
            if after in self.threads and after in waiting:
                since, target = waiting.pop(after)
                self.waits += 1
                current = [(turn[0], at, turn[1])] if turn else []
                behind = sum(max(0.0, min(end, at) - max(begin, since))
                             for begin, end, where in turns[-100:] + current if where in (target, cpu))
                if behind > 0:
                    self.behind.append(behind)
        self.seconds += (max(times) - min(times)) / 1e6

    def told(self):
        longest = f"{max(self.behind):.0f} µs at most" if self.behind else "never"
        late = sum(wait > 1000 for wait in self.behind)
        return (f"The scheduler's record of {self.seconds:.0f} s: the compressor ran for {self.ran / 1e6:.2f} s. The "
                f"other threads waited {self.waits:,} times for a processor, {len(self.behind):,} times in part or all "
                f"behind the compressor ({longest}, {late} times for more than 1 ms).\n")


def asked(daemon, options, prefix, made=None, burn=False, trace=None):
    """A phase beside a connection that asks for ever new texts."""
    before = daemon.compression()
    with Child("ask", daemon.clear, prefix, options.texts) as asker:
        asker.line()
        time.sleep(0.5)
        compressor = daemon.find_compressor()
        if burn:
            with Child("burn") as burner:
                burner.line()
                phase = hits(daemon, options)
        elif trace:
            with trace(set(daemon.threads()) - {compressor}, compressor):
                phase = hits(daemon, options)
        else:
            phase = hits(daemon, options)
        asker.end(kill=True)
    if made is not None:
        made.append([(b - a) / options.seconds for a, b in zip(before, daemon.compression())])
    return phase


def rounds_of(options, origin, folder, names_and_phases):
    """Phases in turn; `names_and_phases(daemon)` gives them for a daemon."""
    found = {}
    for number in range(options.rounds):
        with Daemon(options.binary, origin, folder) as daemon:
            phases = names_and_phases(daemon)
            for name, phase in phases if number % 2 == 0 else phases[::-1]:
                got = phase()
                found.setdefault(name, [None] * options.rounds)[number] = got
                print(f"round {number + 1}: {name}: p50 {got.p50:.0f}, p99 {got.p99:.0f} ({got.calm:.0f}), p99.9 "
                      f"{got.p999:.0f}, max {got.most:.0f} µs, above 1 ms {got.slow:.3%}", file=sys.stderr, flush=True)
    return {name: found[name] for name, _ in phases}


def table(title, found):
    """Medians of the phases; the ratio is the median of the ratios of each round."""
    base = next(iter(found.values()))
    print(f"| {title} | p50 | p99 (range) | p99 of the median second | max | above 1 ms | p99, relative | the same of "
          "the median second (range) |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, phases in found.items():
        p50, p99, calm, most = (statistics.median(getattr(p, f) for p in phases)
                                for f in ("p50", "p99", "calm", "most"))
        ratios, calms = ([getattr(p, f) / getattr(b, f) for p, b in zip(phases, base)] for f in ("p99", "calm"))
        all_p99 = [p.p99 for p in phases]
        slow = statistics.mean(p.slow for p in phases)
        relative = "1 | 1" if phases is base else (f"{statistics.median(ratios):.2f} | {statistics.median(calms):.2f} "
                                                   f"({min(calms):.2f} to {max(calms):.2f})")
        print(f"| {name} | {p50:.0f} µs | {p99:.0f} µs ({min(all_p99):.0f} to {max(all_p99):.0f}) | {calm:.0f} µs | "
              f"{most:.0f} µs | {slow:.2%} | {relative} |")
    print(flush=True)


def slow_kind(title, tls, drip):
    def run(options, origin, folder):
        memory = []
        name = f"beside {options.connections:,} {'dripping' if drip else 'idle'}"
        table(title, rounds_of(options, origin, folder, lambda daemon: [
            ("alone", lambda: hits(daemon, options, tls)),
            (name, lambda: held(daemon, options, memory, tls, drip))]))
        print(f"Memory of each such connection: {statistics.median(memory):.1f} KiB ({min(memory):.1f} to "
              f"{max(memory):.1f})\n", flush=True)
    return run


def compression(options, origin, folder):
    made = []
    table("hits beside new texts of 1 MiB", rounds_of(options, origin, folder, lambda daemon: [
        ("not compressed", lambda: asked(daemon, options, "/plain")),
        ("not compressed, another process compresses", lambda: asked(daemon, options, "/plain", burn=True)),
        ("compressed", lambda: asked(daemon, options, "/text", made))]))
    forms, cpu = (statistics.median(m[i] for m in made) for i in (0, 1))
    print(f"{options.texts:.0f} texts a second in three codings; {forms:.1f} forms were made a second, with "
          f"{cpu:.2f} s of CPU time\n", flush=True)
    if not shutil.which("perf"):
        return
    trace = Trace(folder)
    for _ in range(options.rounds):
        with Daemon(options.binary, origin, folder) as daemon:
            asked(daemon, options, "/text", trace=trace)
    print(trace.told(), flush=True)


def events(options, origin, folder):
    rows = []
    for number in range(options.rounds):
        with Daemon(options.binary, origin, folder) as daemon, Child("events", origin, daemon.clear,
                                                                     options.seconds) as child:
            delays = {name: Phase(values) for name, values in json.loads(child.line()).items()}
            rows.append(delays)
            print(f"round {number + 1}: " + "; ".join(f"{n}: p50 {p.p50:.0f}, p99 {p.p99:.0f}, max {p.most:.0f} µs"
                                                      for n, p in delays.items()), file=sys.stderr, flush=True)
    print("| events | p50 | p99 (range) | max of all |\n| --- | --- | --- | --- |")
    for name, label in (("direct", "from the origin"), ("through", "through Forebay")):
        phases = [row[name] for row in rows]
        p99 = [p.p99 for p in phases]
        print(f"| {label} | {statistics.median(p.p50 for p in phases):.0f} µs | {statistics.median(p99):.0f} µs "
              f"({min(p99):.0f} to {max(p99):.0f}) | {max(p.most for p in phases):.0f} µs |")
    added = [row["through"].p99 - row["direct"].p99 for row in rows]
    print(f"\nAdded to the p99: {statistics.median(added):.0f} µs ({min(added):.0f} to {max(added):.0f})\n", flush=True)


KINDS = {
    "idle": slow_kind("hits, clear", False, False),
    "drip": slow_kind("hits, clear", False, True),
    "tls": slow_kind("hits over TLS", True, False),
    "compress": compression,
    "events": events,
}


def main():
    if sys.argv[1:2] == ["--child"]:
        return globals()["child_" + sys.argv[2]](*sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10, help="of measuring in each phase")
    parser.add_argument("--connections", type=int, default=10_000, help="that are slow")
    parser.add_argument("--rate", type=int, default=500, help="hits a second")
    parser.add_argument("--texts", type=float, default=10, help="new texts a second, to compress")
    parser.add_argument("--scheduling", choices=["fifo", "nice", "same"], default="fifo",
                        help="how the measured goes before other programs: SCHED_FIFO, nice values less 19, not at all")
    options = parser.parse_args()
    os.environ["SCHEDULING"] = options.scheduling
    if set(options.kinds) - set(KINDS):
        parser.error(f"unknown kinds: {', '.join(set(options.kinds) - set(KINDS))}")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < options.connections + 1000:
        raise SystemExit(f"needs a limit of open files above {options.connections + 1000}; it is {hard}")
    options.binary = os.path.abspath(options.binary)
    prefer(2)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends the other processes, too
    folder = tempfile.mkdtemp(prefix="forebay-slow-")
    try:
        with Child("origin") as origin:
            port = int(origin.line())
            for name, run in KINDS.items():
                if not options.kinds or name in options.kinds:
                    run(options, port, folder)
    finally:
        shutil.rmtree(folder)
    print(f"{options.rounds} rounds with {options.seconds} s of {options.rate} hits a second in each phase; "
          f"scheduling: {options.scheduling}; {compare.machine()}.")


if __name__ == "__main__":
    main()
