"""How much of a network address is kept."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

IPV4_PREFIX_BITS = 24
IPV6_PREFIX_BITS = 48


def coarse_network(address: str | None) -> str | None:
    """Return the network of an address, as CIDR: /24 of IPv4, /48 of IPv6; None for what is no address."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    bits = IPV4_PREFIX_BITS if isinstance(parsed, IPv4Address) else IPV6_PREFIX_BITS
    return str(ip_network((parsed.packed, bits), strict=False))
