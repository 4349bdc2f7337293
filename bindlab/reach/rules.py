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
    sent_by_loopback,
)
from bindlab.reach.return_path import WayBack
from bindlab.reach.rule import Rule
from bindlab.reach.verdict import Condition, Reason
from bindlab.special_addresses import Kind

__all__ = ["ASSUMPTIONS", "GATES", "NEEDS"]

GATES: Final[tuple[Rule[Reason], ...]] = (
    Rule(
        Reason.NOT_LISTENING,
        lambda p: p.binding.listening is False and not p.is_udp,
        "it is bound but does not listen, so the system refuses every connection",
    ),
    Rule(
        Reason.GROUP,
        lambda p: p.is_group and not p.is_udp,
        "nothing can connect to {kind} address",
    ),
    Rule(
        Reason.OTHER_PEER,
        lambda p: not p.hears_origin,
        "it is connected to {peer} and hears nobody else",
    ),
    Rule(
        Reason.FAMILY,
        lambda p: p.takes_family is False and p.is_bound_to_loopback,
        "bound to {bound}, which takes {family} only, and from this machine only",
    ),
    Rule(
        Reason.FAMILY,
        lambda p: p.takes_family is False,
        "bound to {bound}, which takes {family} only (its machine may have {family} too)",
    ),
    Rule(
        Reason.GROUP,
        lambda p: p.kind is Kind.MULTICAST and p.is_joined is False,
        "this machine has not joined {bound} on {arrival}",
    ),
    Rule(
        Reason.GROUP,
        lambda p: p.leaves_group_scope,
        "packets for {bound} are never forwarded that far",
    ),
    Rule(
        Reason.LOOPBACK,
        lambda p: p.is_loopback and not p.inside and not p.heeds_localnet,
        "{loopback}, which never leaves this machine",
    ),
    Rule(
        Reason.LOOPBACK,
        lambda p: p.is_loopback and not p.inside and p.takes_localnet is False,
        "{loopback}, which never leaves this machine",
        reads="route_localnet",
    ),
    Rule(
        Reason.ZONE,
        lambda p: p.has_zone and not p.inside and (p.routed or p.crosses),
        "{address} is link-local: it means something on the link of {owner} only",
    ),
    Rule(
        Reason.ZONE,
        lambda p: p.inside and leaves_source_zone(p),
        "a link-local source is heard on its own link only, and {address} is not there",
    ),
    Rule(
        Reason.ADDRESS_GONE,
        lambda p: AddressState.DAD_FAILED in p.claim,
        "another machine on the link of {owner} has {address} (duplicate address detection "
        "failed), so this one does not use it",
    ),
    Rule(
        Reason.ADDRESS_GONE,
        lambda p: AddressState.TENTATIVE in p.claim,
        "{address} on {owner} is still in duplicate address detection (tentative), and nothing "
        "reaches it before that ends",
    ),
    Rule(
        Reason.ADDRESS_GONE,
        lambda p: p.owner is None and not p.is_group and p.host.local_routes is not None,
        "{address} is not an address of this machine now",
    ),
    Rule(
        Reason.DEVICE,
        lambda p: not p.fits_device,
        "bound to the device {device}, and packets for {address} come by {arrival}",
    ),
    Rule(
        Reason.VRF,
        lambda p: p.vrf and not (p.device or p.is_udp) and p.host.tcp_l3mdev_accept is False,
        "{arrival} is in the VRF {vrf}, and no socket without a device takes what comes by it",
        reads="tcp_l3mdev_accept",
    ),
    Rule(
        Reason.VRF,
        lambda p: p.vrf and not p.device and p.is_udp and p.host.udp_l3mdev_accept is False,
        "{arrival} is in the VRF {vrf}, and no socket without a device takes what comes by it",
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
        "a program with that address does not get from one VRF to another",
    ),
    Rule(
        Reason.STRONG_HOST,
        lambda p: p.crosses and p.is_strong is True,
        "{address} belongs to {owner}, and a strong host takes it by no other interface",
        reads="strong_host",
    ),
    Rule(
        Reason.LINK_DOWN,
        lambda p: not p.inside and not p.link_is_live,
        "{arrival} is down or has no carrier, so no packet comes in by it",
    ),
    Rule(
        Reason.LOOPBACK_DOWN,
        lambda p: p.inside and not loopback_is_live(p),
        "loopback is down, and a machine reaches all its own addresses through loopback",
    ),
    Rule(
        Reason.LINK_DOWN,
        lambda p: p.inside and not p.is_udp and answers_nowhere(p),
        "bound to the device {device}, which is down, so its answers go nowhere",
    ),
    Rule(
        Reason.NO_WAY_BACK,
        lambda p: p.inside and not p.is_udp and loses_answers(p),
        "bound to the device {device}, which loses its answers to addresses of other interfaces",
    ),
    Rule(
        Reason.REVERSE_PATH,
        lambda p: p.fails_reverse_path,
        "{arrival} drops packets that are not answered by it (its rp_filter is {rp_filter})",
    ),
    Rule(
        Reason.NO_WAY_BACK,
        lambda p: p.back is WayBack.NOWHERE and not p.is_udp,
        "this machine has no way back to it: {nowhere}",
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
        lambda p: p.on_link and not p.crosses,
        "the link does not isolate its stations",
    ),
    Rule(
        Condition.ROUTE_THERE,
        lambda p: p.needs_route,
        "it has a route to {address}",
    ),
    Rule(
        Condition.ROUTE_BACK,
        lambda p: answers_elsewhere(p) if p.inside else p.needs_way_back,
        "this machine has a route back",
    ),
    Rule(
        Condition.ROUTE_BACK,
        lambda p: p.back is WayBack.ASIDE,
        "it is found by answers that leave by {back}",
    ),
    Rule(
        Condition.ROUTE_BACK,
        lambda p: p.back is WayBack.NOWHERE,
        "it can do without an answer, which finds no way back ({nowhere})",
    ),
    Rule(
        Condition.GUEST,
        lambda p: p.needs_forwarding,
        "{guest}",
    ),
    Rule(
        Condition.NAT,
        lambda p: p.needs_nat,
        "a router forwards the port ({address} is no address of the internet)",
    ),
    Rule(
        Condition.WEAK_HOST,
        lambda p: p.crosses,
        "this machine takes packets for {owner} by {arrival} (weak host)",
        reads="strong_host",
    ),
    Rule(
        Condition.PEER_ZONE,
        lambda p: p.has_zone and not p.inside,
        "it writes its own zone after the %",
    ),
    Rule(
        Condition.DUAL_STACK,
        lambda p: p.takes_family is None,
        "IPV6_V6ONLY is off",
        reads="bindv6only",
    ),
    Rule(
        Condition.ROUTE_LOCALNET,
        lambda p: p.is_loopback and not p.inside and p.takes_localnet is True,
        "it sends packets for {address} here, which route_localnet lets in",
    ),
    Rule(
        Condition.ROUTE_LOCALNET,
        lambda p: p.is_loopback and not p.inside and p.takes_localnet is None,
        "it sends packets for {address} here, and route_localnet, not known here, lets them in",
    ),
    Rule(
        Condition.LOCAL_ROUTE,
        lambda p: p.owner is None and not p.is_group,
        "a local route delivers {address} here",
    ),
    Rule(
        Condition.GROUP_MEMBERSHIP,
        lambda p: p.kind is Kind.MULTICAST,
        "it sends to the group, and this machine has joined it there",
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
        "it takes the answer from another address than it asked",
    ),
    Rule(
        Condition.LOCATION,
        lambda p: p.place.ambiguous,
        "it is where this supposes (its address fits more than one place)",
    ),
    Rule(
        Condition.L3MDEV_ACCEPT,
        lambda p: p.vrf and not p.device,
        "a socket without a device takes what comes by the VRF {vrf} (l3mdev_accept)",
    ),
    Rule(
        Condition.VRF_PROGRAM,
        lambda p: p.inside and p.topology.vrfs and (p.vrf or leaves_own_vrf(p)),
        "the program there is bound to the VRF too",
    ),
    Rule(
        Condition.OTHER_LINK,
        lambda p: p.foreign,
        "it sends by {arrival}, where its address does not belong",
    ),
    Rule(
        Condition.SENT_BY_LOOPBACK,
        lambda p: p.inside and sent_by_loopback(p),
        "the program there sends by {arrival} (bound to that device, or by UDP to 0.0.0.0)",
    ),
)

ASSUMPTIONS: Final = {
    "route_localnet": "route_localnet is off, as by default",
    "strong_host": "the host model is the default of its system",
    "bindv6only": "IPV6_V6ONLY is as the system sets it by default",
    "tcp_l3mdev_accept": "tcp_l3mdev_accept is off, as by default",
    "udp_l3mdev_accept": "udp_l3mdev_accept is off, as by default",
}
