"""What a socket is named by: an IP address, a port and a transport."""

from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Interface,
    IPv6Address,
    IPv6Interface,
    ip_address,
)
from typing import Literal, Self, TypeAlias

from bindlab.url import host_port_transport, url_of
from bindlab.value import MAX_NAME, Given, Value

Transport: TypeAlias = Literal["tcp", "udp"]
IPAddress: TypeAlias = IPv4Address | IPv6Address

_NOT_IN_ZONES = frozenset(" /%")
_FORMS = "write 127.0.0.1:3000, [::1]:3000 or [fe80::1%eth0]:53/udp"


class Endpoint(Value):
    """An IP address, a port and a transport, such as ``[::1]:3000``.

    *ip* is an :mod:`ipaddress` object, or the text of one; it keeps its scope id
    (RFC 4007 section 11) and stays an IPv4-mapped address when it is one (RFC 4291 section
    2.5.5.2), because a socket bound to that is an IPv6 socket. *port* is an int from 0
    to 65535; with 0 the system chooses. *transport* is ``"tcp"`` or ``"udp"``.

    Anything else is a ``ValueError`` or a ``TypeError`` that says what to write instead.

    >>> str(Endpoint("127.0.0.1", 3000)), str(Endpoint("fe80::1%eth0", 53, "udp"))
    ('127.0.0.1:3000', '[fe80::1%eth0]:53/udp')
    """

    ip: Given[IPAddress | str, IPAddress]
    port: int
    transport: Transport = "tcp"

    def _check(self) -> None:
        self._set(
            ip=parse_address(self.ip),
            port=parse_port(self.port),
            transport=parse_transport(self.transport),
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the endpoint that *text* names; ``parse(str(e)) == e`` for every endpoint.

        The port is decimal ASCII digits without sign, space or leading zero, IPv6 is in
        brackets (RFC 3986 section 3.2.2), and a trailing ``/tcp`` or ``/udp`` names the
        transport. Names such as ``localhost`` are a ``ValueError``: one name may mean several
        addresses, and which ones depends on the machine.

        Of a URL, such as ``http://127.0.0.1:3000/x``, it is the host and the port; without one,
        port 80 for ``http`` and ``ws``, 443 for ``https`` and ``wss``. Only the scheme ``udp``
        is UDP.

        >>> Endpoint.parse("[::1]:3000").ip
        IPv6Address('::1')
        >>> str(Endpoint.parse("https://192.168.0.102/index.html"))
        '192.168.0.102:443'
        """
        if not isinstance(text, str):
            raise TypeError(f"an endpoint is text, not {type(text).__name__}: {_FORMS}")
        host, port, transport = host_port_transport(text) if "://" in text else _split(text)
        bracketed = host.startswith("[") and host.endswith("]")
        if bracketed and ":" not in host:
            raise ValueError(f"{text!r}: only IPv6 addresses take brackets: {_FORMS}")
        if not host and port:
            raise ValueError(
                f"{text!r} has no address: write 127.0.0.1:{port} for this machine only, "
                f"or 0.0.0.0:{port} for every IPv4 address of the host"
            )
        if ":" in host and not bracketed:
            raise ValueError(f"{text!r}: put the IPv6 address in brackets, as in [::1]:3000")
        if host.lower() == "localhost":
            raise ValueError(
                '"localhost" is a name, of 127.0.0.1, ::1 or both: write '
                f"127.0.0.1:{port} or [::1]:{port}"
            )
        return cls(
            parse_address(host[1:-1] if bracketed else host),
            port_from_text(port, text),
            parse_transport(transport),
        )

    @property
    def is_unspecified(self) -> bool:
        """Whether the address is ``0.0.0.0``, ``::`` or ``::ffff:0.0.0.0``: a wildcard."""
        return unmap(self.ip).is_unspecified

    def url(self, scheme: str = "http", path: str = "") -> str:
        """Return the URL of this endpoint, with IPv6 in brackets and the zone percent-encoded.

        *path*, such as ``"/docs?page=2"``, is encoded where it has to be; ``"/"`` is as none.

        RFC 6874 gave zones their ``%25``; its successor RFC 9844 withdrew that form and
        browsers never took it, so a URL with a zone is for tools that still do, such as curl.

        A wildcard address or port 0 is a ``ValueError``: nobody can dial them.

        >>> Endpoint("fe80::1%eth0", 3000).url()
        'http://[fe80::1%25eth0]:3000'
        """
        if self.is_unspecified:
            raise ValueError(
                f"{self} is a wildcard, which is for listening and cannot be dialled: "
                "take reachable_from(...).urls()"
            )
        if self.port == 0:
            raise ValueError(f"{self} has no port yet: ask the bound socket, binding_of(sock)")
        return url_of(scheme, address_text(self.ip), self.port, path)

    # A Candidate is an endpoint that somebody can dial, so it equals the plain one.
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Endpoint):
            return NotImplemented
        return (self.port, self.ip, self.transport) == (other.port, other.ip, other.transport)

    def __hash__(self) -> int:
        return hash((self.ip, self.port, self.transport))

    def __str__(self) -> str:
        host = address_text(self.ip)
        if isinstance(self.ip, IPv6Address):
            host = f"[{host}]"
        suffix = "" if self.transport == "tcp" else f"/{self.transport}"
        return f"{host}:{self.port}{suffix}"


def parse_address(value: object) -> IPAddress:
    """Return *value*, an address or its text, as a plain ``IPv4Address`` or ``IPv6Address``.

    An ``IPv4Interface`` or ``IPv6Interface`` gives its address, zone included. Text is an
    address and nothing else: no name, no port, no brackets, no prefix length. A zone, of text
    and of objects, is what :func:`is_zone` says.
    """
    if type(value) is IPv4Address:  # the commonest
        return value
    if isinstance(value, IPv6Interface):
        bare = IPv6Address(int(value))
        value = IPv6Address(f"{bare}%{value.scope_id}") if value.scope_id else bare
    if isinstance(value, IPv4Interface):
        return IPv4Address(int(value))
    if isinstance(value, IPv6Address):
        return _with_good_zone(value)
    if isinstance(value, IPv4Address):
        return value
    if not isinstance(value, str):
        raise TypeError(
            f"an address is text or an ipaddress object, not {type(value).__name__}: "
            'write "127.0.0.1" for loopback, "0.0.0.0" or "::" for every address of the host'
        )
    try:
        ip = ip_address(value)
    except (ValueError, AddressValueError):
        raise ValueError(_address_advice(value)) from None
    return _with_good_zone(ip) if isinstance(ip, IPv6Address) else ip


def is_zone(text: str) -> bool:
    """Return whether *text* can stand behind the ``%`` of an address (RFC 4007 section 11).

    It is printable, has no space, slash or percent sign, and at most 255 characters, so that
    an endpoint is read from its own text and fits on a line. An index in digits is a zone too.
    """
    return 0 < len(text) <= MAX_NAME and text.isprintable() and _NOT_IN_ZONES.isdisjoint(text)


def parse_port(value: object) -> int:
    """Return *value* if it is an int from 0 to 65535, and no bool."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(
            f"a port is an int from 0 to 65535, not {type(value).__name__}: "
            "write 8000, or 0 to let the system choose"
        )
    if not 0 <= value <= 65535:
        raise ValueError(f"port {value} is out of range: write one from 0 to 65535")
    return int(value)


def parse_transport(value: object) -> Transport:
    """Return *value* if it is ``"tcp"`` or ``"udp"``."""
    if value == "tcp":
        return "tcp"
    if value == "udp":
        return "udp"
    error = ValueError if isinstance(value, str) else TypeError
    raise error(f'{value!r} is no transport: write "tcp" or "udp"')


def lacks_zone(ip: IPAddress) -> bool:
    """Return whether *ip* is link-local and does not say on which link (RFC 4007)."""
    return isinstance(ip, IPv6Address) and ip.is_link_local and ip.scope_id is None


def unmap(ip: IPAddress) -> IPAddress:
    """Return the IPv4 address inside an IPv4-mapped one, and any other address unchanged."""
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip


def address_text(ip: IPAddress) -> str:
    """Return *ip* in the form of RFC 5952, the same on every Python version.

    ``str()`` writes ``::ffff:7f00:1`` before Python 3.13 and ``::ffff:127.0.0.1`` since;
    this is always the latter (RFC 5952 section 5).
    """
    mapped = unmap(ip)
    if mapped is ip:
        return str(ip)
    zone = f"%{ip.scope_id}" if isinstance(ip, IPv6Address) and ip.scope_id else ""
    return f"::ffff:{mapped}{zone}"


def port_from_text(digits: str, text: str) -> int:
    """Return the port that *digits* are, a part of *text*."""
    if not (digits.isascii() and digits.isdigit()) or (digits[0] == "0" and digits != "0"):
        raise ValueError(f"{text!r}: {digits!r} is no port: write plain decimal digits, as in 3000")
    if len(digits) > 5:
        raise ValueError(f"{text!r}: the port is out of range: write one from 0 to 65535")
    return parse_port(int(digits))


def _split(text: str) -> tuple[str, str, str]:
    """Return the host, the port and the transport of an endpoint's text."""
    body, slash, transport = text.partition("/")
    host, colon, port = body.rpartition(":")
    if not colon or "[" in port or "]" in port:
        raise ValueError(f"{text!r} has no port: {_FORMS}")
    return host, port, transport if slash else "tcp"


def _with_good_zone(ip: IPv6Address) -> IPv6Address:
    if ip.scope_id is not None and not is_zone(ip.scope_id):
        zone = ip.scope_id if len(ip.scope_id) <= MAX_NAME else f"{ip.scope_id[:40]}..."
        bare = str(ip).partition("%")[0]
        raise ValueError(f"{bare}: {zone!r} is no zone: write an interface's name, or its index")
    return ip


def _address_advice(text: str) -> str:
    if not text:
        return (
            "the address is empty, which some functions take for every address of the host: "
            'write "127.0.0.1" for this machine only, or "0.0.0.0" or "::" if you mean that'
        )
    if text.lower() == "localhost":
        return '"localhost" is a name, of 127.0.0.1, ::1 or both: write the one that you mean'
    if text.startswith("["):
        return f"{text!r}: brackets belong to an endpoint such as [::1]:3000: write ::1"
    if "://" in text:
        return f"{text!r} is a URL: write its address alone, such as 127.0.0.1"
    if "/" in text:
        return f"{text!r} has a prefix length: write the address alone, {text.partition('/')[0]}"
    if text.endswith("%"):
        return f"{text!r} has an empty zone: write an interface's name, as in fe80::1%eth0"
    return (
        f"{text!r} is no IP address: write an address such as 127.0.0.1 or ::1, not a name "
        "(socket.getaddrinfo() resolves names)"
    )
