"""URLs as far as sockets go: written from an address and a port, and read back."""

_DEFAULT_PORTS = {"http": "80", "ws": "80", "https": "443", "wss": "443"}  # RFC 9110, RFC 6455
_IN_PATHS = "/?#[]@!$&'()*+,;=:~%-._"  # what RFC 3986 lets stand, beside letters and digits


def url_of(scheme: str, host: str, port: int, path: str = "") -> str:
    """Return the URL of *host*, an address as text, with IPv6 in brackets and its zone encoded.

    *path* may have a query and a fragment; what no URL may hold is percent-encoded in it.
    """
    bare = scheme.translate({ord(mark): "a" for mark in "+-."}) if isinstance(scheme, str) else ""
    if not (bare.isascii() and bare.isalnum() and scheme[0].isalpha()):  # RFC 3986 section 3.1
        raise ValueError(f'{scheme!r} is no scheme: write "http", "https" or another')
    if not isinstance(path, str):
        raise TypeError(f'a path is text, such as "/docs", not {path!r}')
    if ":" in host:
        address, percent, zone = host.partition("%")
        host = f"[{address}%25{_quoted(zone, '')}]" if percent else f"[{address}]"
    path = _quoted(path.lstrip("/"), _IN_PATHS) if path else path
    return f"{scheme}://{host}:{port}{'/' if path else ''}{path}"


def host_port_transport(url: str) -> tuple[str, str, str]:
    """Return what *url* says of a socket (RFC 3986 section 3.2), an IPv6 address in brackets.

    The port is the scheme's own where none is written; a scheme that has none here is a
    ``ValueError``. Only the scheme ``udp`` is UDP.
    """
    scheme, _, rest = url.partition("://")
    authority = min((rest.partition(end)[0] for end in "/?#"), key=len)
    place = authority.rpartition("@")[2]  # a user's name and password are before it
    host, colon, port = place.rpartition(":")
    if not colon or "]" in port:
        host, port = place, ""
    host, percent, zone = host.partition("%25")  # RFC 6874
    if percent:
        from urllib.parse import unquote  # here, because few addresses have a zone

        host += f"%{unquote(zone)}"
    port = port or _DEFAULT_PORTS.get(scheme.lower(), "")
    if not port:
        raise ValueError(f"{url!r} has no port: write it, as in {scheme}://127.0.0.1:3000")
    return host, port, "udp" if scheme.lower() == "udp" else "tcp"


def _quoted(text: str, safe: str) -> str:
    from urllib.parse import quote  # here, because most URLs have nothing to quote

    return quote(text, safe=safe)
