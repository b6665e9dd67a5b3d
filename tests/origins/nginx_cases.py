"""Sequences before nginx. It compresses on the way out: the ETag of a compressed answer is weak, that of a plain one strong
with the same text, and its 304s and its answers to HEAD name the strong one and no Vary."""

import ranges
import variants
from cases import case, pairs
from independence import as_the_origin_says, independent, request
from nginx_server import Nginx

SERVER = Nginx
globals().update(variants.cases(folders=["dated", "bare"], writes=None))
globals().update({name: found for name, found in ranges.cases(measured=True).items() if name in ("ranges", "if_range")})


@case
def vary_on_what_proxies_write(t):
    """Vary: X-Forwarded-Proto and X-Forwarded-For: chosen by the fields as nginx got them."""
    requests = [request("/scheme"), request("/scheme", "X-Forwarded-Proto: https"), request("/scheme", "X-Forwarded-Proto: http")]
    independent(t, requests)
    found = independent(t, [request("/address"), request("/address", "X-Forwarded-For: 192.0.2.1"),
                            request("/address", "X-Forwarded-For: 192.0.2.2"), request("/address", "X-Forwarded-For: 192.0.2.1, 192.0.2.2")])
    t.equal(len(set(found.values())), 4, f"four senders, each by his address: {found}")
del two_clients_fresh_dated  # noqa: F821
