"""Sequences of parts of a file: ranges out of what is stored and past it, and downloads in parts of a file that changes.
They are the same for every server; its module takes them by `cases`."""

import email.parser
import random

from variants import taker

SIZE = 40000


def content(edition=1, size=SIZE):
    return random.Random(edition).randbytes(size)


def film(t, folder, **more):
    return t.file(content(), "bin", folder, **more)


def parts(answer):
    """(Content-Range, bytes) of the parts of a multipart/byteranges answer, or of the one part."""
    kind = answer.get("Content-Type", "")
    if not kind.startswith("multipart/byteranges"):
        return [(answer.get("Content-Range"), answer.content)]
    boundary = kind.partition("boundary=")[2].strip('"')
    found = []
    for piece in answer.content.split(b"--" + boundary.encode())[1:-1]:
        head, _, body = piece.partition(b"\r\n\r\n")
        fields = email.parser.Parser().parsestr(head.decode().strip())
        found.append((fields["Content-Range"], body[:-2]))
    return found


def right_parts(t, answer, whole, wanted, what):
    """A 206 with these (first, last) parts of the whole."""
    if not t.expect(answer.status == 206, lambda: f"{what}: no 206\n      {answer}"):
        return
    expected = [(f"bytes {first}-{last}/{len(whole)}", whole[first:last + 1]) for first, last in wanted]
    t.expect(parts(answer) == expected, lambda: f"{what}: other bytes or another Content-Range\n      {answer}")


WANTED = [("bytes=0-99", [(0, 99)]), ("bytes=100-", [(100, SIZE - 1)]), ("bytes=-7", [(SIZE - 7, SIZE - 1)]),
          (f"bytes=39990-{SIZE + 50}", [(39990, SIZE - 1)]), ("bytes=0-9,1000-1009", [(0, 9), (1000, 1009)])]


def single(t, folder):
    """Ranges of a file that is not stored yet, that is stale, and that is stored."""
    whole = content()
    made = [(film(t, folder, short=True), field, wanted) for field, wanted in WANTED]

    def ask(path, field, wanted, what):
        answer = t.get(path, headers=[("Range", field)])
        # Several ranges may be answered by the whole (RFC 9110 section 14.2), as long as nobody knows its length.
        if len(wanted) == 1 or answer.status != 200 or answer.content != whole:
            right_parts(t, answer, whole, wanted, f"{field} of what is {what} {path}")
        return answer
    for path, field, wanted in made:
        ask(path, field, wanted, "not stored")
    t.expire()
    for path, field, wanted in made:
        t.lasting(path)
        ask(path, field, wanted, "stale")
        seen = ask(path, field, wanted, "stored")
        t.expect(seen.hit and seen.status == 206, lambda: f"{field} {path}: no part from the store\n      {seen}")
        t.served(path, what="the whole after its part")
    beyond = film(t, folder)
    t.get(beyond)
    t.equal(t.get(beyond, headers=[("Range", f"bytes={SIZE}-")]).status, 416, f"a range behind the end {beyond}")


def if_range(t, folder):
    """If-Range: the part for the same ETag or date, the whole for another."""
    path, whole = film(t, folder), content()
    first = t.served(path)
    for name in ("ETag", "Last-Modified"):
        value = first.get(name)
        if value and not value.startswith("W/"):
            right_parts(t, t.get(path, headers=[("Range", "bytes=5-9"), ("If-Range", value)]), whole, [(5, 9)],
                        f"If-Range {value} {path}")
    for value in ('"another"', "Mon, 01 Jan 2001 00:00:00 GMT"):
        answer = t.get(path, headers=[("Range", "bytes=5-9"), ("If-Range", value)])
        t.expect(answer.status == 200 and answer.content == whole, lambda: f"If-Range {value} {path}\n      {answer}")


def guarded(t, folder):
    """A download in parts, each under If-Match or If-Unmodified-Since, while the file changes: the parts are of one
    file, or the download is refused with 412. What is stored is fresh or stale when it changes."""
    made = []
    for name, of in (("If-Match", "ETag"), ("If-Unmodified-Since", "Last-Modified")):
        for short in (False, True):
            path = film(t, folder, short=short)
            first = t.get(path, headers=[("Range", "bytes=0-19999")])
            right_parts(t, first, content(), [(0, 19999)], f"1st part {path}")
            if first.get(of) and not first.get(of).startswith("W/"):
                made.append((path, short, name, first.get(of)))
    for path, *_ in made:
        t.server.put(path.lstrip("/"), content(2), age=60)
    t.expire()
    for path, short, name, value in made:
        t.lasting(path)
        second = t.get(path, headers=[("Range", "bytes=20000-39999"), (name, value)])
        what = f"2nd part, {name}, {'stale' if short else 'fresh'} {path}"
        if short:
            t.expect(second.status == 412, lambda: f"{what}: no 412\n      {second}")
        elif second.status != 412:
            right_parts(t, second, content(), [(20000, 39999)], what)
        # Whoever begins anew gets one file.
        again = [t.get(path, headers=[("Range", field)]) for field in ("bytes=0-19999", "bytes=20000-39999")]
        t.expect(b"".join(answer.content for answer in again) in (content(), content(2)), f"{what}: parts of two files")
        if short:
            t.equal(again[0].etag, t.direct("GET", path).etag, f"{what}: ETag of the new file")


def private(t, folder, measured):
    """A part of a large file that must not be stored is not answered by reading the file from its start."""
    size = 24 << 20
    path = t.file(content(3, size), "bin", folder)
    whole = content(3, size)
    for turn in range(2):
        first = size - 100 * (turn + 1)
        answer = t.get(path, headers=[("Range", f"bytes={first}-{first + 99}")])
        right_parts(t, answer, whole, [(first, first + 99)], f"a part of a private film {path}")
    if measured:
        sent = sum(each["sent"] for each in t.fetches(path))
        t.expect(sent < size // 2, f"{path}: {sent} bytes were read for two parts of 100")


def signed(t, folder):
    """A request that is signed over its fields goes forward as it came: its Range, its conditions and its method."""
    path, whole = film(t, folder), content()
    signature = ("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20261129/eu/s3/aws4_request, "
                                  "SignedHeaders=host;range, Signature=00")
    answer = t.get(path, headers=[signature, ("Range", "bytes=5-9")])
    right_parts(t, answer, whole, [(5, 9)], f"a signed range {path}")
    tag = t.direct("GET", path).etag
    seen = t.get(path, headers=[signature, ("If-None-Match", tag)])
    t.equal(seen.status, 304, f"a signed condition {path}")
    t.equal(t.head(path, headers=[signature]).status, 200, f"a signed HEAD {path}")
    asked = t.fetches(path)
    t.equal([each["method"] for each in asked], ["GET", "GET", "HEAD"], f"{path}: methods")
    if len(asked) == 3:
        t.equal(asked[0]["headers"].get("range"), "bytes=5-9", f"{path}: Range as it came")
        t.equal(asked[1]["headers"].get("if-none-match"), tag, f"{path}: If-None-Match as it came")


def cases(folder="", private_folder="private", measured=False):
    """The cases by their names, for a server's module. `measured`: its record has the bytes that were sent."""
    found, add = taker()
    add("ranges", single, folder)
    add("if_range", if_range, folder)
    add("parts_of_a_file_that_changes", guarded, folder)
    add("part_of_a_private_film", private, private_folder, measured)
    add("signed_requests_go_as_they_came", signed, folder)
    return found
