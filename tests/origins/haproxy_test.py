"""HAProxy before Forebay: what it sends as PROXY headers of both versions is understood, and what it says counts.

    python3 tests/origins/haproxy_test.py build/asan/forebay
"""

import http.client
import http.server
import json
import os
import pathlib
import socket
import sys
import threading

import processes

CONFIGURATION = """\
global
  maxconn 200
defaults
  mode tcp
  timeout connect 60s
  timeout client 60s
  timeout server 60s
"""
# Options of the server line, as an operator writes them.
WAYS = {
    "v1": "send-proxy",
    "v2": "send-proxy-v2",
    "v2 with a checksum": "send-proxy-v2 proxy-v2-options crc32c",
    "v2 with all additions": "send-proxy-v2-ssl-cn proxy-v2-options ssl,cert-cn,ssl-cipher,authority,crc32c,unique-id",
    "v2 and health checks": "send-proxy-v2 check-send-proxy check inter 100ms",
    "v1 over a Unix socket": "send-proxy",
    "v2 over a Unix socket": "send-proxy-v2 proxy-v2-options crc32c",
}
CLIENTS = ["127.0.0.1", "127.0.0.77"]


class Origin(http.server.BaseHTTPRequestHandler):
    """Shows the fields of the request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        content = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def fields_seen(port, client):
    """What the origin gets of a request by that client, who claims to be somebody else."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(client, 0))
    connection.request("GET", "/", headers={"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https"})
    return json.loads(connection.getresponse().read())


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def main():
    try:
        version = processes.output("haproxy", "-v").splitlines()[0]
    except processes.Missing as error:
        print(error)
        return 1 if os.environ.get("FOREBAY_ORIGINS") == "required" else 77
    print(version)
    origin = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    folder = processes.folder()
    where = pathlib.Path(folder.name)
    front = {name: processes.free_port() for name in WAYS}
    tcp, path = processes.free_port(), where / "forebay.sock"
    (where / "forebay.yaml").write_text(f"""
origin: http://127.0.0.1:{origin.server_port}
listen:
  - {{ address: "127.0.0.1:{tcp}", name: tcp, proxy_protocol: true }}
  - {{ address: "unix:{path}", name: unix, proxy_protocol: true }}
admin: {{ listen: "127.0.0.1:0" }}
server: {{ threads: 2, trusted_proxies: [127.0.0.9, unix] }}
log: {{ access: {{ output: access.log, format: json, flush: 10ms }} }}
""")
    configuration = CONFIGURATION
    for i, (name, options) in enumerate(WAYS.items()):
        # The balancer's address is not the clients'.
        to = f"unix@{path}" if "Unix" in name else f"127.0.0.1:{tcp} source 127.0.0.9"
        binds = f"  bind 127.0.0.1:{front[name]}\n" + (f"  bind [::1]:{front[name]}\n" if has_ipv6() else "")
        configuration += f"frontend f{i}\n{binds}  unique-id-format %rt\n  default_backend b{i}\n"
        configuration += f"backend b{i}\n  server forebay {to} {options}\n"
    (where / "haproxy.cfg").write_text(configuration)
    ports = where / "ports"
    daemon = processes.Process([str(pathlib.Path(sys.argv[1]).resolve()), "run", "-c", "forebay.yaml", "--port-file", str(ports)], where / "log",
                               cwd=where)
    haproxy = None
    try:
        processes.until(lambda: not daemon.running or ports.exists(), "the daemon")
        haproxy = processes.Process(["haproxy", "-db", "-f", "haproxy.cfg"], where / "haproxy.log", cwd=where)

        def listens():
            try:
                for port in front.values():
                    socket.create_connection(("127.0.0.1", port), 5).close()
            except OSError:
                return not haproxy.running
            return True
        processes.until(listens, "haproxy")
        failures = 0
        for name, port in front.items():
            for client in CLIENTS + (["::1"] if has_ipv6() else []):
                seen = fields_seen(port, client) if client != "::1" else fields_over_ipv6(port)
                good = seen.get("x-forwarded-for") == client and seen.get("x-forwarded-proto") == "http"
                failures += not good
                print(f"{'ok  ' if good else 'FAIL'} {name}, client {client}", "" if good else seen)
        # The health checks, which say LOCAL, are no reason for a warning.
        said = daemon.said()
        if "valid PROXY header" in said or "within the PROXY header" in said:
            failures += 1
            print("FAIL the log complains")
        if failures:
            print(said, haproxy.said())
        return 1 if failures else 0
    except (processes.Failed, OSError) as error:
        print(error, daemon.said(), haproxy.said() if haproxy else "")
        return 1
    finally:
        if haproxy:
            haproxy.stop()
        daemon.stop()


def fields_over_ipv6(port):
    connection = http.client.HTTPConnection("::1", port, timeout=60)
    connection.request("GET", "/", headers={"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https"})
    return json.loads(connection.getresponse().read())


if __name__ == "__main__":
    sys.exit(main())
