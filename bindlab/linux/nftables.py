"""The firewall of this Linux as nftables tells root: base chains, rules that refuse, and DNAT.

What is read here are the kernel's own structures, <linux/netfilter/nf_tables.h>; the numbers in
them are big-endian. Rules of iptables-nft are among them.
"""

import errno
import os
import struct
import time
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Final, NamedTuple

from bindlab.endpoint import Transport
from bindlab.firewall import Fate, Firewall, FirewallChain, Redirection
from bindlab.linux.netlink import Netlink, attributes

_NETLINK_NETFILTER: Final = 12
_GET_CHAIN, _GET_RULE = 0x0A04, 0x0A07  # NFNL_SUBSYS_NFTABLES, NFT_MSG_GET...
_NFGENMSG = struct.Struct("=BBH")
_FAMILIES: Final = {1: "inet", 2: "ip", 5: "netdev", 7: "bridge", 10: "ip6"}
_HOOKS: Final = {0: "prerouting", 1: "input", 3: "output", 5: "ingress"}
_SECONDS: Final = 0.5  # of processor time, for reading rules
_NF_DROP, _NF_ACCEPT, _JUMP, _GOTO = 0, 1, -3, -4
_VERDICTS: Final[Mapping[int, Fate]] = {_NF_DROP: "drop", _NF_ACCEPT: "accept"}
_VERDICT_REGISTER = 0
# A rule of nothing but these looks at no packet: it is for every one.
_FOR_ALL: Final = {"counter", "log", "immediate", "reject", "target"}
_TRANSPORT_HEADER, _DESTINATION_PORT = 2, (2, 2)  # offset and length
_L4PROTO = 16
_EQUAL, _AT_MOST, _AT_LEAST = 0, 3, 5
_PROTOCOLS: Final[Mapping[int, Transport]] = {6: "tcp", 17: "udp"}

# Expressions that only look at a packet, count it, or change it.
_HARMLESS: Final = frozenset(
    (
        *("meta", "cmp", "payload", "bitwise", "byteorder", "counter", "ct", "limit", "log"),
        *("range", "nat", "masq", "redir", "quota", "connlimit", "rt", "socket", "osf", "hash"),
        *("numgen", "fib", "exthdr", "dynset", "objref", "notrack", "last", "tunnel", "xfrm"),
        *("dup", "match", "inner", "secmark", "flow_offload"),
    )
)
# And the targets of iptables that do.
_HARMLESS_TARGETS: Final = frozenset(
    (
        *("DNAT", "SNAT", "MASQUERADE", "REDIRECT", "NETMAP", "LOG", "NFLOG", "MARK", "CONNMARK"),
        *("CT", "NOTRACK", "TCPMSS", "CHECKSUM", "CLASSIFY", "DSCP", "TRACE", "AUDIT", "SET"),
    )
)


class _Rule(NamedTuple):
    """A rule: where it stands, what it does with a packet, and to which chains it leads."""

    family: int
    table: str
    chain: str
    fate: Fate | None = None
    """What becomes of every packet that comes here; ``None`` where that depends."""
    may_refuse: bool = False
    leads_to: str = ""
    redirection: Redirection | None = None


class _Chain(NamedTuple):
    family: int
    table: str
    name: str
    hook: str
    policy: Fate


def nftables() -> Firewall:
    """Return what nftables does with what comes in; an ``OSError`` where it does not tell.

    It is for root alone (CAP_NET_ADMIN), of the calling thread's network namespace. Where
    there are too many rules to read, the chains are still told, without their rules.
    """
    with Netlink(_NETLINK_NETFILTER) as netlink:
        try:
            chains = netlink.dump(_GET_CHAIN, _NFGENMSG.pack(0, 0, 0), _chain)
        except OSError as error:
            if error.errno in (errno.EPERM, errno.EACCES):
                raise
            chains = []  # a kernel without nftables has no rules of it
        try:
            rules = _rules(netlink) if chains else []
        except TimeoutError:
            return Firewall(tuple(_told(chain, None) for chain in chains), is_whole=False)
    told = [_told(chain, rules) for chain in chains]
    return Firewall(
        tuple(chain for chain in told if chain.default != "accept" or chain.may_refuse),
        tuple(rule.redirection for rule in rules if rule.redirection),
        is_whole=True,
    )


def _told(chain: _Chain, rules: Iterable[_Rule] | None) -> FirewallChain:
    """Return *chain* with what its *rules* do, which may be those of all chains."""
    table = f"{_FAMILIES[chain.family]} {chain.table}"
    if rules is None:
        return FirewallChain(table, chain.name, chain.hook, chain.policy, None, may_refuse=True)
    chains: dict[str, list[_Rule]] = {}
    for rule in rules:
        if (rule.family, rule.table) == (chain.family, chain.table):
            chains.setdefault(rule.chain, []).append(rule)
    own, default = chains.get(chain.name, []), chain.policy
    for place, rule in enumerate(own):
        if rule.fate is not None:  # what stands behind it is never reached
            own, default = own[:place], rule.fate
            break
    reached = [chain.name]
    found = list(own)
    for rule in found:  # which grows meanwhile
        if rule.leads_to and rule.leads_to not in reached:
            reached.append(rule.leads_to)
            found += chains.get(rule.leads_to, [])
    refuses = any(rule.may_refuse for rule in found)
    return FirewallChain(table, chain.name, chain.hook, default, len(own), refuses)


def _chain(message: bytes) -> _Chain | None:
    family, _, _ = _NFGENMSG.unpack_from(message)
    found = attributes(message, _NFGENMSG.size)
    if family not in _FAMILIES or 4 not in found:  # NFTA_CHAIN_HOOK: a base chain
        return None
    number = _number(attributes(found[4]).get(1))
    hook = "ingress" if _FAMILIES[family] == "netdev" and number == 0 else _HOOKS.get(number)
    if hook is None:  # what is forwarded, or sent by this machine, is another matter
        return None
    policy: Fate = "drop" if _number(found.get(5), _NF_ACCEPT) == _NF_DROP else "accept"
    return _Chain(family, _text(found[1]), _text(found[3]), hook, policy)


def _rules(netlink: Netlink) -> list[_Rule]:
    until = time.thread_time() + _SECONDS

    def parse(message: bytes) -> _Rule | None:
        if time.thread_time() > until:
            raise TimeoutError(errno.ETIMEDOUT, "nftables has too many rules to read them all")
        family, _, _ = _NFGENMSG.unpack_from(message)
        if family not in _FAMILIES:
            return None
        found = attributes(message, _NFGENMSG.size)
        rule = _Rule(family, _text(found[1]), _text(found[2]))
        return _with_expressions(rule, list(_expressions(found.get(4, b""))))

    return netlink.dump(_GET_RULE, _NFGENMSG.pack(0, 0, 0), parse)


def _with_expressions(rule: _Rule, expressions: list[tuple[str, dict[int, bytes]]]) -> _Rule:
    """Return *rule* with what its *expressions* do, name and attributes of each."""
    may_refuse, leads_to = False, ""
    fate: Fate | None = None
    for name, found in expressions:
        if name == "immediate":
            verdict = attributes(attributes(found.get(2, b"")).get(2, b""))
            code = int.from_bytes(verdict[1], signed=True) if verdict else _NF_ACCEPT
            fate = _VERDICTS.get(code) if verdict else fate
            may_refuse = may_refuse or code == _NF_DROP or code > _NF_ACCEPT
            leads_to = _text(verdict[2]) if code in (_JUMP, _GOTO) else leads_to
        elif name == "reject" or (name == "target" and _text(found[1]) == "REJECT"):
            may_refuse, fate = True, "reject"
        elif name == "target":
            may_refuse = may_refuse or _text(found[1]) not in _HARMLESS_TARGETS
        elif name == "lookup":  # that of a map with verdicts may hold any
            may_refuse = may_refuse or _number(found.get(3), -1) == _VERDICT_REGISTER
        else:
            may_refuse = may_refuse or name not in _HARMLESS
    is_for_all = {name for name, _ in expressions} <= _FOR_ALL
    return rule._replace(
        fate=fate if is_for_all else None,
        may_refuse=may_refuse,
        leads_to=leads_to,
        redirection=_redirection(rule, expressions),
    )


def _redirection(
    rule: _Rule, expressions: Iterable[tuple[str, dict[int, bytes]]]
) -> Redirection | None:
    """Return where *rule* sends packets, as far as its *expressions* are understood."""
    registers: dict[int, bytes] = {}
    loaded: dict[int, str] = {}
    transport: Transport | None = None
    ports: tuple[int, int] | None = None
    to = None
    for name, found in expressions:
        match name:
            case "immediate":
                registers[_number(found.get(1))] = attributes(found.get(2, b"")).get(1, b"")
            case "meta":
                loaded[_number(found.get(1))] = (
                    "protocol" if _number(found.get(2)) == _L4PROTO else ""
                )
            case "payload":
                at = (_number(found.get(3)), _number(found.get(4)))
                is_port = _number(found.get(2)) == _TRANSPORT_HEADER and at == _DESTINATION_PORT
                loaded[_number(found.get(1))] = "port" if is_port else ""
            case "cmp":
                value = int.from_bytes(attributes(found.get(3, b"")).get(1, b""))
                what, how = loaded.get(_number(found.get(1))), _number(found.get(2))
                if what == "protocol" and how == _EQUAL:
                    transport = _PROTOCOLS.get(value)
                if what == "port" and how in (_EQUAL, _AT_LEAST):
                    ports = (value, value)
                if what == "port" and how == _AT_MOST and ports is not None:
                    ports = (ports[0], value)
            case "range" if loaded.get(_number(found.get(1))) == "port":
                first, last = (attributes(found.get(n, b"")).get(1, b"") for n in (3, 4))
                ports = int.from_bytes(first), int.from_bytes(last)
            case "match" if _text(found[1]) in ("tcp", "udp"):  # struct xt_tcp, struct xt_udp
                transport = "tcp" if _text(found[1]) == "tcp" else "udp"
                first, last = struct.unpack_from("=HH", found[3], 4)
                ports = (first, last) if (first, last) != (0, 0xFFFF) else ports
            case "nat" if _number(found.get(1)) == 1:  # NFT_NAT_DNAT
                to = _address(registers, found.get(3), found.get(5))
            case "redir":
                to = _address(registers, None, found.get(1)) or "this machine"
            case "target" if _text(found[1]) in ("DNAT", "REDIRECT"):
                to = ""
            case _:
                pass
    if to is None:
        return None
    table = f"{_FAMILIES[rule.family]} {rule.table}"
    low, high = ports or (None, None)
    return Redirection(table, rule.chain, transport, low, high, to)


def _address(registers: Mapping[int, bytes], ip: bytes | None, port: bytes | None) -> str:
    """Return the address and the port that two registers hold, as text."""
    packed, number = registers.get(_number(ip, -1), b""), registers.get(_number(port, -1), b"")
    host = str(ip_address(packed)) if len(packed) in (4, 16) else ""
    host = f"[{host}]" if ":" in host and number else host
    if not number:
        return host
    return f"{host}:{int.from_bytes(number[:2])}" if host else f"port {int.from_bytes(number[:2])}"


def _expressions(data: bytes) -> Iterator[tuple[str, dict[int, bytes]]]:
    """Yield the expressions of a list, whose elements all have the same type."""
    offset = 0
    while len(data) - offset >= 4:
        length, _ = struct.unpack_from("=HH", data, offset)
        if not 4 <= length <= len(data) - offset:
            raise ValueError(f"an expression claims {length} bytes")
        found = attributes(data[offset + 4 : offset + length])
        yield _text(found[1]), attributes(found.get(2, b""))
        offset += (length + 3) & ~3


def _text(data: bytes) -> str:
    return os.fsdecode(data.rstrip(b"\0"))


def _number(data: bytes | None, otherwise: int = 0) -> int:
    return otherwise if data is None else int.from_bytes(data)
