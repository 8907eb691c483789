"""Which addresses are on the public internet."""

from __future__ import annotations

import ipaddress

# Of what lies in 2000::/3, the addresses of the public internet, these lead elsewhere: 6to4, Teredo
# and others that carry an IPv4 address or are the protocols' own, and documentation. Whatever maps
# IPv4 addresses in other ways, NAT64 among them, lies outside of it.
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2002::/16", "3fff::/20")))
# Relays of 6to4, and a block of which Python takes most addresses for private, but not all.
_NOT_PUBLIC_V4 = tuple(map(ipaddress.IPv4Network, ("192.88.99.0/24", "192.0.0.0/24")))


def is_public(address: str) -> bool:
    """Whether an address, in numbers, is one of the public internet.

    After IANA's registries of special-purpose addresses (RFC 6890), which `ipaddress` knows in
    part: how much depends on Python's version.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC_V4)
    return ip in _PUBLIC_V6 and not any(ip in network for network in _NOT_PUBLIC_V6)
