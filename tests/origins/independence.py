"""Requests that must not get each other's answers. Each is asked alone first, then after every other one under a fresh
Host, so under a fresh key: what it gets may not depend on who came before."""

from cases import pairs

made = iter(range(1 << 30))


def fresh_host(t):
    return f"{t.name.replace('_', '-')}-{next(made)}.test"


def show(request):
    method, target, headers, content = request
    lines = [f"{name}: {value}" for name, value in headers]
    return " ".join([method, target, *lines, content.decode() if content else ""]).strip()


def request(target, *headers, method="GET", content=None):
    """`headers`: lines such as "X-Tenant: a"."""
    lines = [tuple(part.strip() for part in line.split(":", 1)) for line in headers]
    return (method, target, lines, content.encode() if content is not None else None)


def asked(t, host, request):
    method, target, headers, content = request
    answer = t.ask(method, target, headers, content, host=host)
    return answer, (answer.status, *(text.replace(host, "HOST") for text in (answer.text, answer.get("Location", ""))))


def around(odd, plain):
    """Pairs of an odd one and a plain one, in both orders."""
    return [pair for first in odd for second in plain for pair in ((first, second), (second, first))]


def independent(t, requests, of=None):
    """Each of the requests gets what it gets alone, whoever came before. `of`: the pairs that are tried, else all."""
    alone = {show(each): asked(t, fresh_host(t), each)[1] for each in requests}
    for first, second in of or pairs(requests):
        host = fresh_host(t)
        for turn in (first, second, first, second):
            answer, seen = asked(t, host, turn)
            t.expect(seen == alone[show(turn)],
                     lambda: f"{show(turn)}\n      with {show(first if turn is second else second)}\n      gets {seen}, "
                             f"alone {alone[show(turn)]} ({answer.get('Cache-Status')})")
    return alone


def as_the_origin_says(t, requests):
    """Alone, each gets what the origin answers to it directly."""
    for each in requests:
        host = fresh_host(t)
        method, target, headers, content = each
        answer = t.ask(method, target, headers, content, host=host)
        direct = t.direct(method, target, None, headers, content=content, host=host)
        t.equal(answer.text, direct.text, f"{show(each)}, and the origin itself")
