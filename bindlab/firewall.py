"""What this machine's own firewall does by default, as far as it could be read: evidence only."""

from typing import Literal, TypeAlias

from bindlab.endpoint import Transport
from bindlab.printable import printable
from bindlab.value import Value

__all__ = ["Fate", "Firewall", "FirewallChain", "Redirection"]

Fate: TypeAlias = Literal["accept", "drop", "reject"]
_VERBS: dict[Fate, str] = {"accept": "accepts", "drop": "drops", "reject": "rejects"}


class FirewallChain(Value):
    """A chain of nftables that packets for this machine pass, nft(8).

    - *table*: its family and its name, such as ``inet filter``; *name*: its own.
    - *hook*: where it stands: ``ingress``, ``prerouting``, ``input``, or ``output`` for answers.
    - *default*: what becomes of a packet that no rule decides on: the policy, or what a last
      rule for everything does.
    - *rules*: how many rules stand before that, ``None`` where they were not read.
    - *may_refuse*: whether some of them drop or reject, in this chain or one that they lead to.
    """

    table: str
    name: str
    hook: str
    default: Fate = "accept"
    rules: int | None = None
    may_refuse: bool = False

    def __str__(self) -> str:
        number = "rules that were not read" if self.rules is None else f"{self.rules} rules"
        if self.rules == 1:
            number = "1 rule"
        some = " (some drop or reject)" if self.may_refuse and self.default == "accept" else ""
        name = printable(self.name, 40)
        return (
            f"its {self.hook} chain {name} {_VERBS[self.default]} by default, after {number}{some} "
            f"(nft list chain {printable(self.table, 60)} {name})"
        )


class Redirection(Value):
    """A rule that sends what comes for a port elsewhere (DNAT, redirect), before any socket.

    *first* and *last* are the ports, ``None`` where the rule tells no port that could be read;
    *to* is where it sends them, ``""`` where that could not be read; *table* and *chain* where
    the rule stands.
    """

    table: str
    chain: str
    transport: Transport | None = None
    first: int | None = None
    last: int | None = None
    to: str = ""

    def takes(self, port: int, transport: Transport = "tcp") -> bool:
        """Return whether the rule names *port* of *transport*."""
        if self.first is None or self.last is None or self.transport not in (None, transport):
            return False
        return self.first <= port <= self.last

    def __str__(self) -> str:
        ports = "some ports"
        if self.first is not None:
            ports = f"port {self.first}" if self.first == self.last else "ports "
            ports += "" if self.first == self.last else f"{self.first} to {self.last}"
        kind = f"{self.transport.upper()} " if self.transport else ""
        to = f" to {self.to}" if self.to else " elsewhere"
        where = f"{printable(self.table, 60)} {printable(self.chain, 40)}"
        return f"a rule sends {kind}{ports}{to} (nft list chain {where})"


class Firewall(Value):
    """What could be read of this machine's firewall: never a verdict, and never all of it.

    - *chains*: those that may stop what comes in, or the answers; not those that only accept.
    - *redirections*: what sends ports elsewhere.
    - *programs*: in sentences, which programs manage a firewall here.
    - *is_whole*: whether all rules of nftables were read, and no others are known. It takes
      root (CAP_NET_ADMIN) on Linux. Other filters, such as eBPF, are never seen.
    """

    chains: tuple[FirewallChain, ...] = ()
    redirections: tuple[Redirection, ...] = ()
    programs: tuple[str, ...] = ()
    is_whole: bool = False

    @property
    def accepts_all(self) -> bool:
        """Whether no rule refuses anything, which is said only where all of them were read."""
        return self.is_whole and not self.chains

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is known, the most important first; nothing where nothing could be read."""
        if self.accepts_all:
            said = ["it has no rule that drops or rejects (nft list ruleset)"]
        else:
            said = [str(chain) for chain in self.chains]
        return (*said, *self.programs, *map(str, self.redirections))

    def __str__(self) -> str:
        return "; ".join(self.sentences) or "nothing could be read of it"
