"""Sequences of real clients. What each gets is what the origin sends, whatever it speaks, and the cache is one."""

import json
import pathlib
import re
import subprocess
import tempfile

import wire
from cases import case
from edge_server import Edge, HERE

SERVER = Edge


def run(t, *command, fails=False, content=None, **more):
    """What a program prints on its two streams, and how it ended."""
    done = subprocess.run(command, input=content, capture_output=True, timeout=2 * wire.PATIENCE, **more)
    said = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    if (done.returncode != 0) != fails:
        t.expect(False, f"{' '.join(command)} has ended with {done.returncode}:\n{said[0][-1500:]}\n{said[1][-1500:]}")
    return said


def curl(t, listener, path, *options, **more):
    """status, protocol and body of what curl gets."""
    scheme = "http" if listener in ("clear", "one") else "https"
    name = "client.wild.test" if "--wild" in options else "shop.test"
    options = [each for each in options if each != "--wild"]
    port = t.daemon.ports[listener]
    said, _ = run(t, t.server.curl, "-sS", "--max-time", "60", "--cacert", t.server.file_of("ca.pem"), "--connect-to",
                  f"{name}:443:127.0.0.1:{port}", "--connect-to", f"{name}:80:127.0.0.1:{port}", *options, "-w",
                  "\n%{http_code} %{http_version}", f"{scheme}://{name}{path}", **more)
    body, _, written = said.rpartition("\n")
    return (body, *written.split()) if " " in written else (body, "", "")


def node(t, kind, listener, *arguments):
    scheme = "http" if listener in ("clear", "one") else "https"
    said, _ = run(t, t.server.node, str(HERE / "edge/client.js"), kind,
                  f"{scheme}://127.0.0.1:{t.daemon.ports[listener]}", *arguments, env=t.server.environment)
    return json.loads(said or "null")


def s_client(t, listener, *options, fails=False, content=b"GET /item/s HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n"):
    """Both streams of openssl's client, which sends one request."""
    out, err = run(t, t.server.openssl, "s_client", "-connect", f"127.0.0.1:{t.daemon.ports[listener]}", "-servername",
                   "shop.test", "-CAfile", t.server.file_of("ca.pem"), "-ign_eof", *options, fails=fails, content=content)
    return out + err


# --- curl ---

@case
def curl_speaks_each_version_on_each_listener(t):
    """HTTP/1.1, HTTP/2 by ALPN and by prior knowledge, on clear text and over TLS: one stored response for each scheme."""
    path = "/item/curl"
    for listener, options, version in (
            ("clear", ["--http1.1"], "1.1"), ("clear", ["--http2-prior-knowledge"], "2"), ("clear", ["--http1.0"], "1.1"),
            ("clear", ["--http2"], "1.1"),  # Upgrade: h2c is not taken (RFC 9113 section 3.1)
            ("one", ["--http1.1"], "1.1"), ("tls", ["--http1.1"], "1.1"), ("tls", ["--http2"], "2"),
            ("tls_one", ["--http2"], "1.1"), ("modern", ["--http2"], "2")):
        body, status, spoken = curl(t, listener, path, *options)
        t.equal((body, status, spoken), (f"item {path}\n", "200", version), f"{listener} {options}")
    t.at_most(path, 2, "http and https")


@case
def curl_gets_large_content(t):
    for listener, option in (("clear", "--http1.1"), ("clear", "--http2-prior-knowledge"), ("tls", "--http1.1"), ("tls", "--http2")):
        for turn in ("miss or hit", "hit"):
            body, status, _ = curl(t, listener, "/big", option)
            t.equal((len(body), status), (5 << 20, "200"), f"{listener} {option} {turn}")


@case
def curl_posts_content(t):
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"line of content\n" * 60000)
        file.flush()
        for listener, option in (("clear", "--http1.1"), ("clear", "--http2-prior-knowledge"), ("tls", "--http1.1"), ("tls", "--http2")):
            for length in (["-H", "Transfer-Encoding: chunked"] if option == "--http1.1" else [], []):
                body, status, _ = curl(t, listener, "/echo", option, *length, "--data-binary", f"@{file.name}")
                t.equal((len(body), status), (16 * 60000, "200"), f"{listener} {option} {length}")


@case
def a_host_with_a_wildcard_certificate(t):
    body, status, _ = curl(t, "tls", "/item/wild", "--wild")
    t.equal((body, status), ("item /item/wild\n", "200"), "*.wild.test")


@case
def a_client_certificate_is_required(t):
    curl(t, "mutual", "/item/mutual", fails=True)
    body, status, _ = curl(t, "mutual", "/item/mutual", "--cert", t.server.file_of("client.pem"), "--key",
                           t.server.file_of("client.key"))
    t.equal((body, status), ("item /item/mutual\n", "200"), "with a certificate of the CA")


# --- openssl ---

@case
def versions_of_tls(t):
    """TLS 1.2 and 1.3, nothing older; 1.3 alone where the listener says so."""
    for listener, flag, works in (("tls", "-tls1_2", True), ("tls", "-tls1_3", True), ("modern", "-tls1_3", True),
                                  ("modern", "-tls1_2", False)):
        said = s_client(t, listener, flag, fails=not works)
        t.equal("HTTP/1.1 200" in said, works, f"{listener} {flag}")
    for flag in ("-tls1", "-tls1_1"):
        said = s_client(t, "tls", flag, "-cipher", "ALL:@SECLEVEL=0", fails=True)
        t.expect("HTTP/1.1 200" not in said and "alert protocol version" in said, f"{flag}: {said[-800:]}")


@case
def ciphers_of_tls_1_2(t):
    """Of all that openssl knows, the intermediate list of Mozilla alone: forward secrecy and authenticated encryption."""
    intermediate = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                    "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"}
    known = t.server.command("ciphers", "-tls1_2", "-s", "ALL:COMPLEMENTOFALL:@SECLEVEL=0").strip().split(":")
    taken = set()
    for cipher in known:
        done = subprocess.run(
            [t.server.openssl, "s_client", "-connect", f"127.0.0.1:{t.daemon.ports['tls']}", "-servername", "shop.test",
             "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0"], input=b"Q\n", capture_output=True, timeout=wire.PATIENCE)
        if re.search(rb"Cipher is (?!\(NONE\))", done.stdout):
            taken.add(cipher)
    t.expect(len(known) > 20, f"openssl knows {len(known)} ciphers")
    t.equal(taken, intermediate, "ciphers")


@case
def ecdsa_and_rsa_for_one_name(t):
    for algorithm, kind in (("ECDSA+SHA256", "id-ecPublicKey"), ("RSA-PSS+SHA256", "rsaEncryption")):
        said = s_client(t, "tls", "-sigalgs", algorithm, "-tls1_2")
        found = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", said, re.S)
        if t.expect(found, f"{algorithm}: {said[-800:]}"):
            done = subprocess.run([t.server.openssl, "x509", "-noout", "-text"], input=found.group(0).encode(), capture_output=True)
            t.expect(kind in done.stdout.decode(), f"{algorithm}: not {kind}")


@case
def a_session_is_resumed(t):
    """With a ticket, on whatever worker."""
    for flag in ("-tls1_2", "-tls1_3"):
        with tempfile.TemporaryDirectory() as folder:
            ticket = f"{folder}/session"
            first = s_client(t, "tls", flag, "-sess_out", ticket)
            t.expect("HTTP/1.1 200" in first and pathlib.Path(ticket).exists(), f"{flag}: {first[-800:]}")
            for turn in range(6):
                said = s_client(t, "tls", flag, "-sess_in", ticket)
                t.expect("Reused, TLS" in said and "HTTP/1.1 200" in said, f"{flag} turn {turn}: {said[-1500:]}")


@case
def clear_text_on_a_port_of_tls(t):
    said, _ = run(t, t.server.curl, "-sS", "--http0.9", "-i", f"http://127.0.0.1:{t.daemon.ports['tls']}/", fails=False)
    t.expect(said.startswith("HTTP/1.") and " 400 " in said.splitlines()[0] and "TLS" in said, said[:400])


# --- nghttp, h2load ---

@case
def nghttp_gets_many_at_once(t):
    port = t.daemon.ports["clear"]
    paths = [f"http://127.0.0.1:{port}/item/nghttp-{n}" for n in range(40)]
    said, _ = run(t, t.server.nghttp, "-n", "-v", "--no-dep", *paths)
    t.equal(said.count(":status: 200"), 40, "answers")
    t.expect("GOAWAY" not in said.split(":status: 200")[0], "no GOAWAY before the end")


@case
def h2load_has_no_error(t):
    for listener in ("clear", "tls"):
        scheme = "http" if listener == "clear" else "https"
        said, _ = run(t, t.server.h2load, "-n", "4000", "-c", "8", "-m", "32",
                      f"{scheme}://127.0.0.1:{t.daemon.ports[listener]}/item/load")
        t.expect(re.search(r"4000 succeeded, 0 failed, 0 errored, 0 timeout", said), f"{listener}: {said[-1200:]}")
        t.expect(re.search(r"status codes: 4000 2xx", said), f"{listener}: {said[-1200:]}")
    t.at_most("/item/load", 2, "http and https")


# --- Node.js ---

@case
def node_gets_a_hundred_streams(t):
    for listener in ("clear", "tls"):
        found = node(t, "h2", listener, *[f"/item/node-{n}" for n in range(100)])
        t.equal([(each["status"], each["text"]) for each in found],
                [(200, f"item /item/node-{n}\n") for n in range(100)], listener)
        again = node(t, "h2", listener, *[f"/item/node-{n}" for n in range(100)])
        t.expect(all("hit" in each["cache"] for each in again), f"{listener}: all are hits")


@case
def node_posts_over_http2(t):
    for listener in ("clear", "tls"):
        for size in (0, 1, 65535, 3_000_000):
            t.equal(node(t, "post", listener, "/echo", str(size)), {"status": 200, "same": True, "length": size},
                    f"{listener} {size}")


@case
def node_is_given_early_hints(t):
    found = node(t, "h2", "tls", "/early")
    t.equal([(each["status"], each["interim"], each["text"]) for each in found], [(200, [103], "late\n")], "/early")


@case
def node_reads_events_as_they_come(t):
    for listener in ("clear", "tls"):
        found = node(t, "events", listener, "/events")
        t.equal((found["status"], found["text"]), (200, "data: 1\n\ndata: 2\n\ndata: 3\n\n"), listener)
        t.expect(len(found["at"]) == 3, f"{listener}: each event came by itself: {found['at']}")


@case
def node_opens_a_websocket(t):
    for listener in ("clear", "one", "tls", "tls_one"):
        t.equal(node(t, "socket", listener, "/socket"), {"got": ["text", 70000], "code": 1000}, listener)


@case
def the_origin_is_told_the_scheme(t):
    for listener, option, scheme in (("clear", "--http1.1", "http"), ("clear", "--http2-prior-knowledge", "http"),
                                     ("tls", "--http1.1", "https"), ("tls", "--http2", "https")):
        body, _, _ = curl(t, listener, "/seen", option, "-H", "X-Forwarded-Proto: gopher", "-H", "Client-Cert: :forged:")
        told = json.loads(body)
        t.equal(told.get("x-forwarded-proto"), scheme, f"{listener} {option}")
        t.equal(told.get("host"), "shop.test", f"{listener} {option}")
        t.expect("client-cert" not in told, f"{listener} {option}: a forged certificate")


# --- Chromium ---

@case
def chromium_opens_a_page(t):
    """A page with fifty resources over HTTP/2, an event stream and a WebSocket."""
    for listener, protocol in (("tls", "h2"), ("tls_one", "http/1.1")):
        with tempfile.TemporaryDirectory() as folder:
            said, _ = run(t, t.server.node, str(HERE / "edge/browser.js"), t.server.chromium, folder, t.server.spki(),
                          f"https://localhost:{t.daemon.ports[listener]}", env=t.server.environment)
        if not said:
            continue
        found = json.loads(said)
        t.equal(len(found["loaded"]), 51, f"{listener}: what was loaded")
        t.equal({(each["protocol"], each["status"]) for each in found["loaded"]}, {(protocol, 200)}, listener)
        t.equal(found["ran"], 17, f"{listener}: scripts that ran")
        t.equal(found["stream"], ["1", "2", "3"], f"{listener}: events")
        t.equal(found["echoed"], "from the page", f"{listener}: WebSocket")
        t.equal(found["problems"], [], f"{listener}: the console")
