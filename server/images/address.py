"""Which addresses may be dialled: public ones, and what the operator opened; all else is refused.

The judgement is passed on addresses, after a name was resolved, never on names or on how an address
was written. ``ipaddress`` alone is not enough: it calls several special addresses global, and an
IPv6 address may carry an IPv4 one to which a gateway on the way would lead.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import NamedTuple, Self

from pipelines.errors import InvalidOption

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

USUAL_PORTS = frozenset({80, 443})
_HOST = re.compile(r"(?=.*[a-z])[a-z0-9_-]+(\.[a-z0-9_-]+)*")


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


_METADATA = _networks(
    "169.254.169.254/32",  # nearly every cloud
    "169.254.170.2/32",  # credentials of containers
    "169.254.170.23/32",
    "169.254.0.23/32",
    "169.254.42.42/32",
    "100.100.100.200/32",
    "168.63.129.16/32",  # looks public and is not
    "192.0.0.192/32",
    "fd00:ec2::/32",
    "fd20:ce::254/128",
    "fd00:c1::a9fe:a9fe/128",
    "fd00:42::42/128",
    "fd00:a9fe:a9fe::/48",
    "fe80::a9fe:a9fe/128",
)
"""Services that give a cloud's credentials to whoever asks from the machine."""

_PRIVATE = _networks(
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"
)
_SPECIAL = _networks(
    "0.0.0.0/8",
    "100.64.0.0/10",  # shared by a carrier's customers
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "2001::/23",  # Teredo, benchmarks, ORCHID
    "2001:db8::/32",
    "2002::/16",  # 6to4
    "3fff::/20",
)
_UNICAST = IPv6Network("2000::/3")
"""All that was ever given out of IPv6; local, multicast and translated addresses lie outside."""

_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP = 0x00005EFE
"""Upper half of an interface identifier that ends in an IPv4 address; one bit of it may vary."""


class Kind(StrEnum):
    """What an address is for."""

    PUBLIC = "public"
    PRIVATE = "private"
    SPECIAL = "special"
    METADATA = "metadata"


class Origin(NamedTuple):
    """Where a URL points: ``https`` or ``http``, a host in ASCII, a port."""

    scheme: str
    host: str
    port: int


def read_address(text: str) -> Address | None:
    """An address as a resolver writes it; an IPv4 one mapped into IPv6 comes out as itself."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def classify(address: Address) -> Kind:
    """What ``address`` is for; special is whatever is not surely something else."""
    if _lies_in(address, _METADATA):
        return Kind.METADATA
    if _lies_in(address, _PRIVATE):
        return Kind.PRIVATE
    if isinstance(address, IPv6Address) and address in _NAT64:
        behind = classify(IPv4Address(int(address) & 0xFFFFFFFF))
        return Kind.PUBLIC if behind is Kind.PUBLIC else Kind.SPECIAL
    if _lies_in(address, _SPECIAL) or not address.is_global:
        return Kind.SPECIAL
    if isinstance(address, IPv6Address) and not _is_plain_unicast(address):
        return Kind.SPECIAL
    return Kind.PUBLIC


def _lies_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _is_plain_unicast(address: IPv6Address) -> bool:
    identifier = (int(address) >> 32) & 0xFFFFFFFF
    return address in _UNICAST and identifier & 0xFDFFFFFF != _ISATAP


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """Where this server may connect to.

    Public addresses are open by https on the usual ports, and by http if ``http``. With
    ``private``, or for a name in ``hosts``, loopback and private addresses are open too, and
    ``networks`` open whatever lies in them: by http as well, and on any port. Metadata services
    stay closed unless a network of one address names them.
    """

    private: bool = False
    http: bool = False
    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(
        cls, allowed: Iterable[str] = (), *, private: bool = False, http: bool = False
    ) -> Self:
        """From the operator's list of host names, addresses and CIDR ranges.

        Raises:
            InvalidOption: an entry is none of these.
        """
        hosts, networks = set(), []
        for entry in allowed:
            text = entry.strip().lower()
            network, name = _read_network(text), text.rstrip(".")
            if network is not None:
                networks.append(network)
            elif _HOST.fullmatch(name):
                hosts.add(name)
            else:
                raise InvalidOption(
                    f"{entry!r} is neither a host name nor an address or CIDR range"
                )
        return cls(private, http, frozenset(hosts), tuple(networks))

    def allows(self, origin: Origin, address: str) -> bool:
        """Whether ``address``, to which the host of ``origin`` was resolved, may be dialled."""
        found = read_address(address)
        if found is None:
            return False
        kind = classify(found)
        if self._opens(origin.host, found, kind):
            return True
        usual = origin.port in USUAL_PORTS and (origin.scheme == "https" or self.http)
        return kind is Kind.PUBLIC and usual

    def _opens(self, host: str, address: Address, kind: Kind) -> bool:
        given = [network for network in self.networks if _lies_in(address, [network])]
        if kind is Kind.METADATA:
            return any(network.num_addresses == 1 for network in given)
        if given or (self.private and kind is Kind.PRIVATE):
            return True
        named = host.lower().rstrip(".") in self.hosts
        return named and kind in {Kind.PUBLIC, Kind.PRIVATE}


def _read_network(text: str) -> Network | None:
    try:
        return ip_network(text.strip("[]"))
    except ValueError:
        return None
