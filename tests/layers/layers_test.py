#!/usr/bin/env python3
"""Checks the layers of docs/architecture.md over the sources: layers_test.py REPOSITORY

1. A file includes public headers of lower modules, and headers of its own module.
2. Above the I/O line: no Asio, no sockets, no threads, no clock, no sleeping; mutexes in few places.
3. A package is included in few modules.
4. Coroutines keep to the forms that g++ 12 compiles correctly: one co_await a statement, as the whole statement, the
   whole initialiser, the right side of an assignment or the operand of co_return, without braces and lambdas in it.

Prints FILE:LINE for each violation and exits with 1 if there is one.
"""

import pathlib
import re
import sys

# A module may include modules of lower height, and none of the same height.
HEIGHT = {
    "base": 0, "http": 1, "content": 2, "rules": 3, "cache": 4, "config": 5,
    "net": 6, "server": 7, "upstream": 7, "l2": 7, "proxy": 8, "admin": 9, "probe": 9, "app": 10,
}
IO_LINE = HEIGHT["net"]

# What only modules above the I/O line may use, as (pattern over code without comments and strings, what to call it).
IMPURE = [
    (r"#\s*include\s*<boost/asio", "Boost.Asio"),
    (r"#\s*include\s*<(sys/socket|sys/epoll|sys/select|poll|netdb|arpa/inet|netinet/\w+)\.h>", "sockets"),
    (r"#\s*include\s*<(thread|pthread\.h|future|condition_variable)>", "threads"),
    (r"\bstd::(jthread|thread|this_thread|async)\b", "threads"),
    (r"::now\s*\(", "the clock"),
    (r"\b(clock_gettime|gettimeofday|time\s*\(\s*(nullptr|NULL|0)\s*\))", "the clock"),
    (r"\b(usleep|nanosleep|sleep_for|sleep_until)\b", "sleeping"),
]

# What reads an address from text, inet_pton, opens no socket; and what lets other threads run begins none.
EXCEPTIONS = {("http/forwarding.cpp", "#include <arpa/inet.h>"),
              ("base/give_way.hpp", "#include <thread>"),
              ("base/give_way.hpp", "std::this_thread")}

# Where a mutex may be above the I/O line.
MUTEX_PLACES = re.compile(r"(cache/|http/body\.|base/(waker|log|events|mutex)\.)")

# Packages and the files (relative to src or include/forebay) that may include them.
PACKAGES = [
    (r"<boost/beast", r"^http/\w+\.cpp$"),
    (r"<nghttp2/", r"^http/(\w+\.cpp|h2_private\.hpp)$"),
    (r"<(zlib|zstd|brotli/\w+)\.h>", r"^content/\w+\.cpp$"),
    (r"<boost/json", r"^(content/\w+\.cpp|admin/\w+\.(cpp|hpp)|app/\w+\.cpp)$"),
    (r"<yaml-cpp/", r"^config/\w+\.(cpp|hpp)$"),
    (r"<prometheus/", r"^admin/\w+\.cpp$"),
    (r"<ares", r"^net/resolver\.cpp$"),
    (r"<openssl/", r"^(net/|base/hash\.cpp$)"),
    (r"<spdlog/", r"^base/log\.(cpp|hpp)$"),
    (r"<CLI/", r"^app/command_(line|words)\.cpp$"),
]


def blank_out(text):
    """The text with comments, strings and characters replaced by blanks; line ends and #include lines stay."""
    token = re.compile(
        r'^[ \t]*#[ \t]*include[^\n]*'             # kept
        r'|//[^\n]*|/\*.*?\*/'
        r'|R"(?P<mark>[^()\\ \n]*)\(.*?\)(?P=mark)"'
        r'|"(?:\\.|[^"\\\n])*"'
        r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
        re.S | re.M)

    def blank(match):
        found = match.group(0)
        if found.lstrip().startswith("#"):
            return found
        # A string keeps its quotes, so that it still is an expression.
        if found[0] in "\"'R":
            return '"' + re.sub(r"[^\n]", " ", found[2:]) + '"'
        return re.sub(r"[^\n]", " ", found)

    return token.sub(blank, text)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def place(path, root):
    """Module and path within src or include/forebay; nothing for files outside."""
    for base in (root / "include" / "forebay", root / "src"):
        if path.is_relative_to(base):
            inside = path.relative_to(base).as_posix()
            if "/" in inside:
                return inside.split("/")[0], inside
            return ("app", "app/" + inside) if base.name == "src" else (None, inside)
    return None, None


def check_includes(module, inside, code):
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', code, re.M):
        style, header = match.groups()
        line = line_of(code, match.start(1))
        if header.startswith("forebay/"):
            other = header.split("/")[1]
            if other not in HEIGHT:
                yield line, f'"{header}" is in an unknown module'
            elif other != module and HEIGHT[other] >= HEIGHT[module]:
                yield line, f'{module} includes "{header}": {other} is not below it'
        elif style == '"':
            other = header.split("/")[0] if "/" in header else module
            if other in HEIGHT and other != module:
                yield line, f'{module} includes "{header}": a private header of {other}'
        for package, allowed in PACKAGES:
            if re.match(package[1:], header) and not re.match(allowed, inside):
                yield line, f"<{header}> may not be included in {inside}"


def check_purity(module, inside, code):
    # Only forebay::Mutex is known to the thread-safety analysis.
    if inside != "base/mutex.hpp":
        for match in re.finditer(r"\bstd::((\w+_)?mutex|(lock|scoped)_guard|(unique|shared|scoped)_lock)\b", code):
            yield line_of(code, match.start()), f"{match.group(0)} instead of what base/mutex.hpp has"
    if HEIGHT[module] >= IO_LINE:
        return
    for pattern, what in IMPURE:
        for match in re.finditer(pattern, code):
            if (inside, match.group(0)) in EXCEPTIONS:
                continue
            yield line_of(code, match.start()), f"{module} is above the I/O line and must not use {what}: {match.group(0)}"
    if not MUTEX_PLACES.match(inside):
        for match in re.finditer(r"\bMutex\b", code):
            yield line_of(code, match.start()), f"a mutex in {inside}"


TARGET = re.compile(r"""^\s*(
      (else|do)?                              # the whole statement
    | (else\s+)? co_return
    | (else\s+)? [\w:<>,&*\[\]\s.()>-]+ \s*=  # an initialiser or an assignment
    )\s*$""", re.X)


def statement_start(code, at):
    """Where the statement around `at` begins; nothing when `at` lies within parentheses."""
    depth = 0
    i = at - 1
    while i >= 0:
        c = code[i]
        if c in ")]":
            depth += 1
        elif c in "([":
            if depth == 0:
                return None
            depth -= 1
            # Behind "if (...)", "for (...)" and "while (...)" begins a statement.
            if depth == 0 and c == "(" and re.search(r"\b(if|if\s+constexpr|for|while)\s*$", code[:i]):
                close = matching(code, i)
                return close + 1
        elif depth == 0 and c in ";{}":
            return i + 1
        i -= 1
    return 0


def matching(code, opening):
    depth = 0
    for i in range(opening, len(code)):
        if code[i] == "(":
            depth += 1
        elif code[i] == ")":
            depth -= 1
            if depth == 0:
                return i
    return len(code) - 1


def check_coroutines(code):
    for match in re.finditer(r"\bco_await\b", code):
        line = line_of(code, match.start())
        start = statement_start(code, match.start())
        if start is None:
            yield line, "co_await inside parentheses: name its result first"
            continue
        before = code[start:match.start()]
        if not TARGET.match(re.sub(r"^\s*(case\b[^:]*|default\s*):(?!:)", "", before)):
            yield line, "co_await is neither a whole statement nor a whole initialiser"
            continue
        end = match.end()
        depth = 0
        while end < len(code) and not (depth == 0 and code[end] == ";"):
            depth += code[end] in "([{"
            depth -= code[end] in ")]}"
            end += 1
        operand = code[match.end():end]
        if "{" in operand:
            yield line, "braces or a lambda in a co_await expression: name it first"
        elif re.search(r"[(,]\s*\[", operand):
            yield line, "a lambda in a co_await expression: name it first"
        elif "co_await" in operand:
            yield line, "two co_await in one statement"
        elif re.search(r"&&|\|\||\?|,|\+|==|!=", re.sub(r"\([^()]*\)", "", flatten(operand))):
            yield line, "co_await within a larger expression: name its result first"


def flatten(text):
    """The text without what its inner parentheses and brackets hold."""
    while True:
        shorter = re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", text)
        if shorter == text:
            return text
        text = shorter


def check_file(path, root):
    module, inside = place(path, root)
    if module is None:
        return
    if module not in HEIGHT:
        yield 1, f"{inside} is in no module"
        return
    code = blank_out(path.read_text(encoding="utf-8"))
    yield from check_includes(module, inside, code)
    yield from check_purity(module, inside, code)
    yield from check_coroutines(code)


GOOD = [
    "co_await f(a, b);", "auto x = co_await f(a);", "x = co_await f(a);", "co_return co_await f();",
    "if (a) co_await f();", "for (;;) { co_await f(); }", "const auto [a, b] = co_await f(x);",
    "self->x_ = co_await f(g(a), 3);", "const Result<std::vector<int>> r = co_await (a || b);",
    "else co_await f();", "case 1: co_await f(); break;", "*out = co_await f();", "while (a) x = co_await f();",
]
BAD = [
    "c ? co_await a() : co_await b();", "if (co_await p()) x();", "g(co_await f());", "switch ((co_await a()).m) {}",
    "co_await f([x] { return x; });", "co_await f(A{1});", "co_await f({.a = 1});", "auto x = (co_await f()).m;",
    "x = co_await f() && y;", "return_value(co_await f());", "while (co_await f()) {}", "auto x = 1 + co_await f();",
    "co_await f(), co_await g();",
]


def check_itself():
    for example in GOOD:
        assert not list(check_coroutines("void f() { " + example + " }")), example
    for example in BAD:
        assert list(check_coroutines("void f() { " + example + " }")), example
    assert blank_out('a("x; // y"); // z').rstrip() == 'a("       ");', blank_out('a("x; // y"); // z')
    assert list(check_includes("http", "http/a.cpp", '#include "forebay/rules/x.hpp"\n'))
    assert list(check_includes("server", "server/a.cpp", '#include "forebay/upstream/x.hpp"\n'))
    assert list(check_includes("server", "server/a.cpp", '#include "net/x.hpp"\n'))
    assert list(check_includes("rules", "rules/a.cpp", "#include <boost/beast/http.hpp>\n"))
    assert not list(check_includes("http", "http/a.cpp", '#include "forebay/base/x.hpp"\n#include "http/y.hpp"\n'))
    assert list(check_purity("cache", "cache/a.cpp", "auto t = Clock::now();"))
    assert list(check_purity("http", "http/a.cpp", "#include <arpa/inet.h>"))
    assert list(check_purity("http", "http/forwarding.cpp", "#include <sys/socket.h>"))
    assert not list(check_purity("http", "http/forwarding.cpp", "#include <arpa/inet.h>"))
    assert list(check_purity("base", "base/give_way.hpp", "std::thread t;"))
    assert not list(check_purity("base", "base/give_way.hpp", "std::this_thread::yield();"))
    assert list(check_purity("rules", "rules/a.cpp", "Mutex m;"))
    assert list(check_purity("net", "net/a.cpp", "std::mutex m;"))
    assert not list(check_purity("net", "net/a.cpp", "auto t = Clock::now();"))


def main():
    check_itself()
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    root = pathlib.Path(sys.argv[1]).resolve()
    files = sorted(p for d in ("include", "src") for p in (root / d).rglob("*") if p.suffix in (".hpp", ".cpp", ".ipp"))
    violations = [(p, line, why) for p in files for line, why in check_file(p, root)]
    for path, line, why in violations:
        print(f"{path.relative_to(root)}:{line}: {why}")
    print(f"{len(files)} files, {len(violations)} violations of the layers")
    return 1 if violations or not files else 0


if __name__ == "__main__":
    sys.exit(main())
