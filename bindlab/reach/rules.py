"""The rules of delivery, as one page of data: what shuts a path off, and what it depends on.

``GATES`` are tried in order, and the first that closes gives the reason. ``NEEDS`` are what an
open path depends on. A gate closes only on what is known; where a fact is ``None`` the path
stays open and a need says so. Measured on Linux with real packets; what other systems do
differently is from their documentation.
"""

from typing import Final

from bindlab.interface import AddressState
from bindlab.reach.inside import (
    answers_elsewhere,
    answers_nowhere,
    leaves_own_vrf,
    leaves_source_zone,
    loopback_is_live,
    loses_answers,
    may_come_by_another_interface,
    sent_by_loopback,
)
from bindlab.reach.return_path import WayBack
from bindlab.reach.rule import Rule
from bindlab.reach.verdict import Condition, Reason
from bindlab.special_addresses import Kind

GATES: Final[tuple[Rule[Reason], ...]] = (
    Rule(
        Reason.NOT_LISTENING,
        lambda p: p.binding.listening is False and not p.is_udp,
        "it is bound, but listen() was not called, so every connection is refused",
    ),
    Rule(
        Reason.GROUP,
        lambda p: p.is_group and not p.is_udp,
        "no connection can be made to {kind} address",
    ),
    Rule(
        Reason.OTHER_PEER,
        lambda p: not p.hears_origin,
        "it is connected to {peer}, and receives from nobody else",
    ),
    Rule(
        Reason.FAMILY,
        lambda p: p.takes_family is False and p.is_bound_to_loopback,
        "it is bound to {bound}, which is this machine only",
    ),
    Rule(
        Reason.FAMILY,
        lambda p: p.takes_family is False,
        "it is bound to {bound}, which takes {family} only",
    ),
    Rule(
        Reason.GROUP,
        lambda p: p.kind is Kind.MULTICAST and p.is_joined is False,
        "this machine has not joined the group {bound} on {arrival}",
    ),
    Rule(
        Reason.GROUP,
        lambda p: p.leaves_group_scope,
        "routers do not forward packets for {bound} that far",
    ),
    Rule(
        Reason.LOOPBACK,
        lambda p: p.is_loopback and not p.inside and not p.heeds_localnet,
        "{loopback}, which is this machine only",
    ),
    Rule(
        Reason.LOOPBACK,
        lambda p: p.is_loopback and not p.inside and p.takes_localnet is False,
        "{loopback}, which is this machine only",
        reads="route_localnet",
    ),
    Rule(
        Reason.ZONE,
        lambda p: p.has_zone and not p.inside and (p.routed or p.crosses),
        "{address} is a link-local address: only machines on {owner} can use it",
    ),
    Rule(
        Reason.ZONE,
        lambda p: p.inside and leaves_source_zone(p),
        "a link-local address works on its own link only, and {address} is not on that link",
    ),
    Rule(
        Reason.ADDRESS_GONE,
        lambda p: AddressState.DAD_FAILED in p.claim,
        "another machine on {owner} has {address} already (duplicate address detection failed), "
        "so this one does not use it",
    ),
    Rule(
        Reason.ADDRESS_GONE,
        lambda p: AddressState.TENTATIVE in p.claim,
        "{address} on {owner} is not ready yet (tentative: duplicate address detection runs)",
    ),
    Rule(
        Reason.ADDRESS_GONE,
        lambda p: p.owner is None and not p.is_group and p.host.local_routes is not None,
        "this machine does not have the address {address} now",
    ),
    Rule(
        Reason.DEVICE,
        lambda p: not p.fits_device,
        "it is bound to the device {device}, and packets for {address} come in by {arrival}",
    ),
    Rule(
        Reason.VRF,
        lambda p: p.vrf and not (p.device or p.is_udp) and p.host.tcp_l3mdev_accept is False,
        "{arrival} is in the VRF {vrf}, and only a socket that is bound to it takes its packets",
        reads="tcp_l3mdev_accept",
    ),
    Rule(
        Reason.VRF,
        lambda p: p.vrf and not p.device and p.is_udp and p.host.udp_l3mdev_accept is False,
        "{arrival} is in the VRF {vrf}, and only a socket that is bound to it takes its packets",
        reads="udp_l3mdev_accept",
    ),
    Rule(
        Reason.VRF,
        lambda p: p.leaves_vrf,
        "{address} belongs to a VRF, and {arrival} is not in it",
    ),
    Rule(
        Reason.VRF,
        lambda p: p.inside and not p.is_udp and p.topology.vrfs and leaves_own_vrf(p),
        "a program that sends from that address does not get from one VRF to another",
    ),
    Rule(
        Reason.STRONG_HOST,
        lambda p: p.crosses and p.is_strong is True,
        "{address} belongs to {owner}, and this system takes packets for it by no other interface "
        "(strong host model)",
        reads="strong_host",
    ),
    Rule(
        Reason.LINK_DOWN,
        lambda p: not p.inside and not p.link_is_live,
        "{arrival} is down or has no carrier, so no packet comes in",
    ),
    Rule(
        Reason.LOOPBACK_DOWN,
        lambda p: p.inside and not loopback_is_live(p),
        "loopback is down, and a machine needs it to reach any address of its own",
    ),
    Rule(
        Reason.LINK_DOWN,
        lambda p: p.inside and not p.is_udp and answers_nowhere(p),
        "it is bound to the device {device}, which is down, so its answers go nowhere",
    ),
    Rule(
        Reason.NO_WAY_BACK,
        lambda p: p.inside and not p.is_udp and loses_answers(p),
        "it is bound to the device {device}, where its answers to other interfaces get lost",
    ),
    Rule(
        Reason.REVERSE_PATH,
        lambda p: p.fails_reverse_path,
        "{arrival} drops packets whose answers do not leave by it (its rp_filter is {rp_filter})",
    ),
    Rule(
        Reason.NO_WAY_BACK,
        lambda p: p.back is WayBack.NOWHERE and not p.is_udp,
        "this machine cannot answer it: {nowhere}",
    ),
)

NEEDS: Final[tuple[Rule[Condition], ...]] = (
    Rule(
        Condition.FIREWALL,
        lambda p: not p.inside,
        "no firewall stops it",
    ),
    Rule(
        Condition.LINK_ISOLATION,
        lambda p: p.on_link and not p.crosses and not p.by_tailnet,
        "the network does not keep its devices apart",
    ),
    Rule(
        Condition.TAILNET,
        lambda p: p.on_link and not p.crosses and p.by_tailnet,
        "the tailnet's rules let it",
    ),
    Rule(
        Condition.ROUTE_THERE,
        lambda p: p.needs_route,
        "it has a route to {address}",
    ),
    Rule(
        Condition.ROUTE_BACK,
        lambda p: answers_elsewhere(p) if p.inside else p.needs_way_back,
        "this machine has a route back to it",
    ),
    Rule(
        Condition.ROUTE_BACK,
        lambda p: p.back is WayBack.ASIDE,
        "the answers, which leave by {back}, find it",
    ),
    Rule(
        Condition.ROUTE_BACK,
        lambda p: p.back is WayBack.NOWHERE,
        "it needs no answer: this machine cannot send one ({nowhere})",
    ),
    Rule(
        Condition.GUEST,
        lambda p: p.needs_forwarding,
        "{guest}",
    ),
    Rule(
        Condition.NAT,
        lambda p: p.needs_nat,
        "a router forwards the port to {address}, which is no public address",
    ),
    Rule(
        Condition.WEAK_HOST,
        lambda p: p.crosses,
        "this machine takes packets for the address of {owner} by {arrival} (weak host model)",
        reads="strong_host",
    ),
    Rule(
        Condition.PEER_ZONE,
        lambda p: p.has_zone and not p.inside,
        "it writes the name of its own interface after the %",
    ),
    Rule(
        Condition.DUAL_STACK,
        lambda p: p.takes_family is None,
        "the socket takes IPv4 too (IPV6_V6ONLY is off)",
        reads="bindv6only",
    ),
    Rule(
        Condition.ROUTE_LOCALNET,
        lambda p: p.is_loopback and not p.inside and p.takes_localnet is True,
        "it sends packets for {address} to this machine, whose route_localnet lets them in",
    ),
    Rule(
        Condition.ROUTE_LOCALNET,
        lambda p: p.is_loopback and not p.inside and p.takes_localnet is None,
        "it sends packets for {address} to this machine, and route_localnet, not known here, lets "
        "them in",
    ),
    Rule(
        Condition.LOCAL_ROUTE,
        lambda p: (
            (p.owner is None and not p.is_group)
            or (p.inside and p.device and may_come_by_another_interface(p))
        ),
        "a local route delivers {address} {here}",
    ),
    Rule(
        Condition.GROUP_MEMBERSHIP,
        lambda p: p.kind is Kind.MULTICAST,
        "it sends to the group, and this machine has joined it on that link",
    ),
    Rule(
        Condition.MULTICAST_ROUTING,
        lambda p: p.kind is Kind.MULTICAST and p.routed,
        "a multicast router forwards the group",
    ),
    Rule(
        Condition.BROADCAST,
        lambda p: p.kind is Kind.BROADCAST,
        "it sends to the broadcast address",
    ),
    Rule(
        Condition.REPLY_ADDRESS,
        lambda p: p.crosses and p.is_udp and p.binding.endpoint.is_unspecified,
        "it accepts the answer from another address than it asked",
    ),
    Rule(
        Condition.LOCATION,
        lambda p: p.place.ambiguous,
        "it is on the network that this answer is for (its address fits several)",
    ),
    Rule(
        Condition.L3MDEV_ACCEPT,
        lambda p: p.vrf and not p.device,
        "a socket outside the VRF {vrf} takes its packets (l3mdev_accept is on)",
    ),
    Rule(
        Condition.VRF_PROGRAM,
        lambda p: p.inside and p.topology.vrfs and (p.vrf or leaves_own_vrf(p)),
        "the program is bound to the VRF too",
    ),
    Rule(
        Condition.OTHER_LINK,
        lambda p: p.foreign,
        "it sends by {arrival}, though its address is of another network",
    ),
    Rule(
        Condition.SENT_BY_LOOPBACK,
        lambda p: p.inside and sent_by_loopback(p),
        "the program is bound to the device {arrival} too, or sends by UDP to 0.0.0.0",
    ),
)
