"""Which addresses are on the public internet."""

from __future__ import annotations

from web.addresses import is_public

NOT_PUBLIC = """
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 127.0.0.1 127.255.0.1 169.254.169.254 172.16.0.1 172.31.255.255
192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1
239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b::808:808
64:ff9b:1::808:808 100::1 2001::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:808:808::
3fff::1 5f00::1 fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 ff0e::1
"""
PUBLIC = """
1.1.1.1 8.8.8.8 93.184.216.34 100.128.0.1 172.32.0.1 192.169.0.1 2606:4700::1111 2a00:1450:4001::1
2001:4860:4860::8888 2003::1
"""


def test_what_is_not_public() -> None:
    assert [address for address in NOT_PUBLIC.split() if is_public(address)] == []


def test_what_is_public() -> None:
    assert [address for address in PUBLIC.split() if not is_public(address)] == []
