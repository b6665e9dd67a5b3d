"""HTTP as a client speaks it: one request on a connection of its own, and the answer with its content decoded."""

import ctypes
import gzip
import http.client
import zlib

PATIENCE = 60  # seconds, for a build with sanitizers on a busy machine

# What clients send as Accept-Encoding; None: no such field.
CLIENTS = {
    "browser": "gzip, deflate, br, zstd",
    "old browser": "gzip, deflate",
    "gzip only": "gzip",
    "curl": None,
    "plain": "identity",
    "refuses gzip": "gzip;q=0, br;q=0",
    "refuses identity": "gzip, identity;q=0",
    "prefers identity": "identity, gzip;q=0.5",
    "loud": "GZIP,DEFLATE , BR",
    "empty": "",
    "anything": "*",
}
# Spellings of one ability: they are one variant.
ALIKE = [
    ("gzip, deflate, br", "gzip,deflate,br"),
    ("gzip, deflate, br", "GZIP;q=1.0,\tDeflate ,, br"),
    ("gzip", "gzip;q=1"),
    ("gzip", "gzip;q=0.5"),
    ("gzip", "gzip, br;q=0"),
]


def weights(accept_encoding):
    """coding -> weight, of an Accept-Encoding field."""
    found = {}
    for member in accept_encoding.split(","):
        name, *parameters = (part.strip() for part in member.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.lower().startswith("q="):
                weight = float(parameter[2:])
        if name:
            found[name.lower()] = weight
    return found


def acceptable(coding, accept_encoding):
    """Whether a client that sends this field takes content with this coding (RFC 9110 section 12.5.3). One that sends
    no field at all decodes nothing, as curl does not, although the RFC allows any coding then."""
    coding = coding or "identity"
    given = weights(accept_encoding or "")
    if coding in given:
        return given[coding] > 0
    if coding == "identity":
        return given.get("*", 1) > 0
    return given.get("*", 0) > 0


def unbrotli(content):
    library = ctypes.CDLL("libbrotlidec.so.1")
    out = ctypes.create_string_buffer(1 << 22)
    size = ctypes.c_size_t(len(out))
    # The sizes go by reference or value as the C prototype has them; 1 is BROTLI_DECODER_RESULT_SUCCESS.
    if library.BrotliDecoderDecompress(ctypes.c_size_t(len(content)), content, ctypes.byref(size), out) != 1:
        raise ValueError("no brotli")
    return out.raw[:size.value]


def unzstd(content):
    library = ctypes.CDLL("libzstd.so.1")
    library.ZSTD_decompress.restype = ctypes.c_size_t
    out = ctypes.create_string_buffer(1 << 22)
    size = library.ZSTD_decompress(out, ctypes.c_size_t(len(out)), content, ctypes.c_size_t(len(content)))
    if size > len(out):  # an error
        raise ValueError("no zstd")
    return out.raw[:size]


def decode(content, coding):
    for name in reversed([part.strip().lower() for part in (coding or "").split(",") if part.strip()]):
        if name in ("gzip", "x-gzip"):
            content = gzip.decompress(content)
        elif name == "deflate":
            content = zlib.decompress(content)
        elif name == "br":
            content = unbrotli(content)
        elif name == "zstd":
            content = unzstd(content)
        elif name != "identity":
            raise ValueError(f"unknown coding {name}")
    return content


class Answer:
    def __init__(self, status, headers, content, method):
        self.status, self.headers, self.content, self.method = status, headers, content, method

    def all(self, name):
        return [value for known, value in self.headers if known.lower() == name.lower()]

    def get(self, name, fallback=None):
        """The field's lines, joined by a comma."""
        found = self.all(name)
        return ", ".join(found) if found else fallback

    @property
    def coding(self):
        return self.get("Content-Encoding")

    @property
    def etag(self):
        return self.get("ETag")

    @property
    def body(self):
        return decode(self.content, self.coding) if self.content else self.content

    @property
    def text(self):
        return self.body.decode(errors="replace")

    @property
    def cache(self):
        """The parameters of Cache-Status: name -> value, or True."""
        found = {}
        for part in (self.get("Cache-Status") or "").split(";")[1:]:
            name, equals, value = part.strip().partition("=")
            found[name] = value if equals else True
        return found

    @property
    def hit(self):
        return "hit" in self.cache

    def __str__(self):
        lines = [f"{self.status}"] + [f"{name}: {value}" for name, value in self.headers]
        return "\n      ".join(lines + [repr(self.content[:120])])


def ask(port, method, target, headers=(), content=None, host="localhost"):
    """One request, with these fields and no others but Host and Content-Length."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host)
        for name, value in headers:
            connection.putheader(name, value)
        if content is not None:
            connection.putheader("Content-Length", str(len(content)))
        connection.endheaders(content)
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read(), method)
    finally:
        connection.close()
