#!/usr/bin/env python3
"""Forebay, nginx and HAProxy side by side on one cached answer, by CPU time per request.

Each server runs with one worker (Forebay with two as well), serves the same body from its cache over loopback, and is
measured in turn, several rounds. CPU time is utime + stime of the server's processes from /proc, so that what the load
generator takes does not count. Prints a Markdown table. Nothing leaves this machine; every process ends with the script.
"""

import argparse
import http.client
import http.server
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Origin(http.server.ThreadingHTTPServer):
    """Gives `size` bytes for every path, cacheable for an hour, and counts how often it is asked."""

    daemon_threads = True

    def __init__(self, size):
        super().__init__(("127.0.0.1", 0), OriginHandler)
        self.body = b"x" * size
        self.asked = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def handle_error(self, *_):
        """A cache that ends closes its idle connections as it likes."""


class OriginHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked += 1
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(self.server.body)))
        self.send_header("Cache-Control", "max-age=3600")
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A server process in a folder of its own."""

    def __init__(self, label, version, port, command, log):
        self.label, self.version, self.port = label, version, port
        self.log = open(log, "wb")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.samples = []

    def pids(self):
        """The process and its children: workers of nginx."""
        found, queue = [], [self.process.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as f:
                    queue += [int(p) for p in f.read().split()]
        return found

    def cpu_seconds(self):
        ticks = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS

    def get(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/1k")
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def wait(self, body):
        """Until it answers, twice: the second answer comes out of its cache."""
        until = time.monotonic() + 10
        while True:
            try:
                answers = [self.get(), self.get()]
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"{self.label} does not answer; see {self.log.name}")
                time.sleep(0.05)
        for status, got in answers:
            if status != 200 or got != body:
                raise SystemExit(f"{self.label} answers {status} with {len(got)} bytes; see {self.log.name}")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


def output_of(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip()


def forebay(binary, threads, origin, folder):
    port = free_port()
    config = os.path.join(folder, f"forebay-{threads}.yaml")
    with open(config, "w") as f:
        f.write(f"""\
listen: 127.0.0.1:{port}
origin: http://127.0.0.1:{origin}
admin: {{listen: "off"}}
server: {{threads: {threads}}}
log: {{access: {{output: "off"}}}}
""")
    version = output_of(binary, "version").split(" (")[0].removeprefix("forebay ")
    label = f"Forebay, {threads} thread" + ("s" if threads > 1 else "")
    return Server(label, version, port, [binary, "run", "-c", config], os.path.join(folder, f"forebay-{threads}.log"))


def nginx(origin, folder):
    port = free_port()
    prefix = os.path.join(folder, "nginx")
    os.makedirs(prefix)
    config = os.path.join(prefix, "nginx.conf")
    temporary = "".join(f"  {k}_temp_path {prefix}/{k};\n" for k in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;\n" if os.geteuid() == 0 else ""  # the folder is ours alone
    with open(config, "w") as f:
        f.write(f"""\
{user}daemon off;
worker_processes 1;
pid {prefix}/pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
{temporary}  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  open_file_cache max=1000 inactive=1h;
  proxy_cache_path {prefix}/cache keys_zone=one:10m inactive=1h use_temp_path=off;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{origin};
      proxy_cache one;
    }}
  }}
}}
""")
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    version = output_of(binary, "-v").rsplit("/", 1)[-1]
    return Server("nginx, 1 worker", version, port, [binary, "-c", config, "-p", prefix, "-e", "stderr"],
                  os.path.join(folder, "nginx.log"))


def haproxy(origin, folder):
    port = free_port()
    config = os.path.join(folder, "haproxy.cfg")
    with open(config, "w") as f:
        f.write(f"""\
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
cache one
  total-max-size 64
  max-object-size 100000
  max-age 3600
frontend bench
  bind 127.0.0.1:{port}
  http-request cache-use one
  http-response cache-store one
  default_backend origin
backend origin
  server origin 127.0.0.1:{origin}
""")
    binary = shutil.which("haproxy") or "/usr/sbin/haproxy"
    version = output_of(binary, "-v").split()[2].split("-")[0]
    return Server("HAProxy, 1 thread", version, port, [binary, "-db", "-f", config],
                  os.path.join(folder, "haproxy.log"))


def wrk(port, options):
    command = ["wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", "--latency",
               f"http://127.0.0.1:{port}/1k"]
    out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=options.seconds + 30).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", out)
    if bad:
        raise SystemExit(f"wrk reports errors:\n{out}")
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    return requests, rate, re.search(r"99%\s+(\S+)", out).group(1)


def measure(server, options):
    before = server.cpu_seconds()
    requests, rate, p99 = wrk(server.port, options)
    microseconds = (server.cpu_seconds() - before) / requests * 1e6
    server.samples.append((microseconds, rate, p99))
    return microseconds, rate, p99


def table(servers):
    base = statistics.median(s[0] for s in servers[0].samples)
    lines = ["| server | version | CPU time per request, median (range) | against Forebay, 1 thread | requests/s, median |",
             "| --- | --- | --- | --- | --- |"]
    for server in servers:
        cpu = [s[0] for s in server.samples]
        median = statistics.median(cpu)
        rate = statistics.median(s[1] for s in server.samples)
        lines.append(f"| {server.label} | {server.version} | {median:.2f} µs ({min(cpu):.2f} to {max(cpu):.2f}) | "
                     f"{median / base:.2f} | {rate:,.0f} |")
    return "\n".join(lines)


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", help="the forebay binary to measure")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of load for each server in each round")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--size", type=int, default=1024, help="bytes of the body")
    options = parser.parse_args()

    origin = Origin(options.size)
    folder = tempfile.mkdtemp(prefix="forebay-bench-")
    servers, failed = [], True
    try:
        for make in (lambda: forebay(options.binary, 1, origin.port, folder),
                     lambda: forebay(options.binary, 2, origin.port, folder),
                     lambda: nginx(origin.port, folder),
                     lambda: haproxy(origin.port, folder)):
            servers.append(make())
            servers[-1].wait(origin.body)
        asked = origin.asked
        for number in range(1, options.rounds + 1):
            for server in servers:
                microseconds, rate, p99 = measure(server, options)
                print(f"round {number}: {server.label}: {microseconds:.2f} µs CPU, {rate:,.0f} requests/s, "
                      f"p99 {p99}", file=sys.stderr, flush=True)
        if origin.asked != asked:
            raise SystemExit(f"the origin was asked {origin.asked - asked} times: not every answer was a hit")
        failed = False
    finally:
        for server in servers:
            server.stop()
        origin.shutdown()
        if failed:
            print(f"logs are in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder)

    print(table(servers))
    print(f"\n{options.size} bytes of body from the cache, {options.connections} kept-alive connections of wrk on the "
          f"same machine, {options.rounds} rounds of {options.seconds} s each in turn, access logs off. {machine()}.")


if __name__ == "__main__":
    main()
