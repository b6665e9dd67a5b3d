#!/usr/bin/env python3
"""`forebay top` on a real terminal: tmux shows what a user would see. Skipped (exit code 77) where tmux is missing.

    top_test.py build/dev/forebay
"""

import http.server
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

PATIENCE = 60


class Origin(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Cache-Control", "max-age=600")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args):
        pass


class Tmux:
    """A terminal of its own server, so that it meets no other."""

    def __init__(self, folder):
        self.socket = os.path.join(folder, "tmux")

    def run(self, *words):
        return subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *words], check=True, timeout=PATIENCE,
                              stdout=subprocess.PIPE, text=True).stdout

    def start(self, columns, lines):
        # A shell that stays, so that what a command leaves behind can be seen.
        self.run("new-session", "-d", "-x", str(columns), "-y", str(lines), "env PS1='$ ' sh")

    def type(self, *keys):
        self.run("send-keys", *keys)

    def screen(self):
        return self.run("capture-pane", "-p")

    def state(self, what):
        return self.run("display-message", "-p", "#{" + what + "}").strip()

    def wait_for(self, condition, what):
        until = time.monotonic() + PATIENCE
        screen = self.screen()
        while not condition(screen):
            if time.monotonic() > until:
                raise SystemExit(f"not seen: {what}; the screen is\n{screen}")
            time.sleep(0.1)
            screen = self.screen()
        return screen

    def stop(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], timeout=PATIENCE, check=False,
                       stderr=subprocess.DEVNULL)


def check(condition, what):
    if not condition:
        raise SystemExit(what)


def start_daemon(binary, folder, origin):
    config, ports = os.path.join(folder, "forebay.yaml"), os.path.join(folder, "ports")
    with open(config, "w") as file:
        file.write(f"origin: http://127.0.0.1:{origin}\nlisten: [{{address: '127.0.0.1:0', name: main}}]\n"
                   "admin: {listen: '127.0.0.1:0'}\nserver: {threads: 1}\nlog: {access: {output: 'off'}}\n"
                   "routes: [{name: shop, path: /shop/**}, {name: rest, path: /**}]\n")
    daemon = subprocess.Popen([binary, "run", "-c", config, "--port-file", ports], stderr=subprocess.DEVNULL)
    until = time.monotonic() + PATIENCE
    while not os.path.exists(ports):
        if daemon.poll() is not None or time.monotonic() > until:
            raise SystemExit("the daemon does not start")
        time.sleep(0.05)
    with open(ports) as file:
        return daemon, dict(line.split() for line in file)


def run(tmux, binary, ports):
    command = f"{binary} top --interval 200ms --admin 127.0.0.1:{ports['admin']}"
    for _ in range(5):
        urllib.request.urlopen(f"http://127.0.0.1:{ports['main']}/shop/a", timeout=PATIENCE).read()
    tmux.start(100, 30)
    tmux.wait_for(lambda s: "$" in s, "the shell")
    tmux.type(command, "Enter")
    screen = tmux.wait_for(lambda s: "hit 80.0 %" in s, "the hit ratio")
    check("READY" in screen and "routes by requests" in screen and "shop" in screen, screen)
    check(tmux.state("alternate_on") == "1" and tmux.state("cursor_flag") == "0", "it has the screen for itself")

    tmux.type("k")
    tmux.wait_for(lambda s: "keys by requests" in s and "/shop/a" in s, "the keys")
    tmux.type("s")
    tmux.wait_for(lambda s: "keys by misses" in s, "another order")
    tmux.type("o")
    tmux.wait_for(lambda s: "origins by in flight" in s and "http://127.0.0.1" in s, "the origins")
    tmux.type("r")
    tmux.wait_for(lambda s: "routes by requests" in s, "the routes")
    tmux.type("p")
    tmux.wait_for(lambda s: "PAUSED" in s, "the pause")
    tmux.type("p")
    tmux.wait_for(lambda s: "PAUSED" not in s, "the end of the pause")

    # Rows exactly as wide as the terminal keep their last character.
    tmux.run("resize-window", "-x", "80", "-y", "24")
    tmux.wait_for(lambda s: any(line.startswith("ROUTE") and len(line) == 80 and line.endswith("OUT/S")
                                for line in s.splitlines()), "the last letter of a line of 80 columns")

    # Narrow, low, and wide again: no line is wrapped.
    for columns, lines in ((40, 10), (20, 3), (120, 30)):
        tmux.run("resize-window", "-x", str(columns), "-y", str(lines))
        screen = tmux.wait_for(lambda s: s.startswith("forebay"), f"the first line of {columns} columns")
        check(len(screen.splitlines()) <= lines, screen)
    tmux.wait_for(lambda s: "routes by requests" in s, "all of it again")

    # Suspended and continued.
    tmux.type("C-z")
    tmux.wait_for(lambda s: "Stopped" in s, "the shell")
    check(tmux.state("alternate_on") == "0" and tmux.state("cursor_flag") == "1", "the terminal is given back")
    tmux.type("fg", "Enter")
    tmux.wait_for(lambda s: "routes by requests" in s, "the routes")

    tmux.type("q")
    tmux.wait_for(lambda s: "$" in s and "routes by" not in s, "the end")
    check(tmux.state("alternate_on") == "0" and tmux.state("cursor_flag") == "1", "the terminal is given back")
    tmux.type("echo code $?", "Enter")
    tmux.wait_for(lambda s: "code 0" in s, "the exit code, typed and echoed")

    # A signal ends it in the same way.
    tmux.type("clear", "Enter")
    tmux.type(command, "Enter")
    tmux.wait_for(lambda s: "routes by requests" in s, "the routes")
    tmux.type("C-c")
    tmux.wait_for(lambda s: "$" in s and "routes by" not in s, "the end by SIGINT")
    check(tmux.state("alternate_on") == "0" and tmux.state("cursor_flag") == "1", "the terminal is given back")
    return command


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    if not shutil.which("tmux"):
        print("tmux is not installed")
        raise SystemExit(77)
    binary = os.path.abspath(sys.argv[1])
    origin = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        daemon, ports = start_daemon(binary, folder, origin.server_port)
        tmux = Tmux(folder)
        try:
            command = run(tmux, binary, ports)
            # The daemon goes while somebody looks.
            tmux.type(command, "Enter")
            tmux.wait_for(lambda s: "routes by requests" in s, "the routes")
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(PATIENCE)
            tmux.wait_for(lambda s: "no daemon answers" in s, "that the daemon has gone")
            tmux.type("q")
        finally:
            tmux.stop()
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()
    print("ok")


main()
