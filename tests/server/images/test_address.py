"""Special addresses, however they are dressed up, are never dialled by mistake."""

import random
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given, strategies as st

from pipelines.errors import InvalidOption
from server.images.address import EgressPolicy, Kind, Origin, classify, read_address

CLOSED = EgressPolicy()
HTTPS = Origin("https", "pictures.example", 443)

# after IANA's registries of special-purpose and multicast addresses
SPECIAL = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
    192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24
    224.0.0.0/4 240.0.0.0/4 255.255.255.255/32 168.63.129.16/32
    ::/128 ::1/128 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/32 2001:2::/48 2001:10::/28
    2001:20::/28 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8
"""
NETWORKS = [ip_network(text) for text in SPECIAL.split()]


def carry(v4: IPv4Address, way: int, rest: int) -> IPv6Address:
    """An IPv4 address in IPv6, by one of the ways that there ever were."""
    low = int(v4)
    prefix = 0x2600_0000_0000_0000 | (rest & 0xFFFF_FFFF_FFFF)
    forms = (
        low,  # compatible
        0xFFFF_0000_0000 | low,  # mapped
        0xFFFF_0000_0000_0000 | low,  # translated
        0x2002 << 112 | low << 80 | rest & 0xFFFF,  # 6to4
        0x0064_FF9B << 96 | low,  # NAT64
        0x0064_FF9B_0001 << 80 | low,  # NAT64, local
        0x2001_0000 << 96 | low << 64 | rest & 0xFFFF_FFFF,  # Teredo, its server
        0x2001_0000 << 96 | 0x0808_0808 << 64 | low ^ 0xFFFF_FFFF,  # Teredo, its client
        prefix << 64 | 0x0000_5EFE << 32 | low,  # ISATAP
        prefix << 64 | 0x0200_5EFE << 32 | low,
    )
    return IPv6Address(forms[way % len(forms)])


def draw_special(draw: random.Random) -> str:
    network = draw.choice(NETWORKS)
    address = network[draw.randrange(network.num_addresses)]
    if isinstance(address, IPv4Address) and draw.random() < 0.6:
        address = carry(address, draw.randrange(10), draw.getrandbits(48))
    return str(address)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("127.0.0.1", Kind.PRIVATE),
        ("::1", Kind.PRIVATE),
        ("10.1.2.3", Kind.PRIVATE),
        ("172.31.255.255", Kind.PRIVATE),
        ("192.168.0.1", Kind.PRIVATE),
        ("fd12:3456::1", Kind.PRIVATE),
        ("::ffff:127.0.0.1", Kind.PRIVATE),
        ("::ffff:7f00:1", Kind.PRIVATE),
        ("169.254.169.254", Kind.METADATA),
        ("::ffff:a9fe:a9fe", Kind.METADATA),
        ("100.100.100.200", Kind.METADATA),
        ("192.0.0.192", Kind.METADATA),
        ("168.63.129.16", Kind.METADATA),
        ("fd00:ec2::254", Kind.METADATA),
        ("0.0.0.0", Kind.SPECIAL),
        ("::", Kind.SPECIAL),
        ("100.64.0.1", Kind.SPECIAL),
        ("169.254.1.1", Kind.SPECIAL),
        ("192.0.0.8", Kind.SPECIAL),
        ("224.0.0.1", Kind.SPECIAL),
        ("255.255.255.255", Kind.SPECIAL),
        ("::127.0.0.1", Kind.SPECIAL),
        ("::ffff:0:7f00:1", Kind.SPECIAL),
        ("64:ff9b::7f00:1", Kind.SPECIAL),
        ("64:ff9b::a9fe:a9fe", Kind.SPECIAL),
        ("64:ff9b:1::1", Kind.SPECIAL),
        ("2002:7f00:1::", Kind.SPECIAL),
        ("2001:0:4136:e378:8000:63bf:80ff:fffe", Kind.SPECIAL),
        ("2600:1f00::5efe:7f00:1", Kind.SPECIAL),
        ("2600:1f00::200:5efe:a00:1", Kind.SPECIAL),
        ("fe80::1", Kind.SPECIAL),
        ("fe80::1%lo", Kind.SPECIAL),
        ("fec0::1", Kind.SPECIAL),
        ("ff02::1", Kind.SPECIAL),
        ("2001:db8::1", Kind.SPECIAL),
        ("93.184.216.34", Kind.PUBLIC),
        ("::ffff:93.184.216.34", Kind.PUBLIC),
        ("64:ff9b::5db8:d822", Kind.PUBLIC),
        ("2606:2800:220:1:248:1893:25c8:1946", Kind.PUBLIC),
    ],
)
def test_an_address_is_known_for_what_it_is(text: str, kind: Kind) -> None:
    address = read_address(text)
    assert address is not None
    assert classify(address) is kind
    assert CLOSED.allows(HTTPS, text) is (kind is Kind.PUBLIC)


@given(st.randoms(use_true_random=False))
def test_no_special_address_is_allowed(draw: random.Random) -> None:
    text = draw_special(draw)
    assert not CLOSED.allows(HTTPS, text)
    assert not EgressPolicy(http=True).allows(HTTPS, text)


def test_twenty_thousand_special_addresses_are_all_refused() -> None:
    draw = random.Random(2026)
    leaks = [text for _ in range(20_000) if CLOSED.allows(HTTPS, text := draw_special(draw))]
    assert leaks == []


@given(st.ip_addresses())
def test_opening_private_hosts_opens_nothing_but_loopback_and_private(
    address: IPv4Address | IPv6Address,
) -> None:
    opened = EgressPolicy(private=True)
    if opened.allows(HTTPS, str(address)) and not CLOSED.allows(HTTPS, str(address)):
        assert address.is_private
        assert not address.is_link_local


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0177.0.0.1", "1.2.3", "[::1]", "::g"])
def test_what_is_no_address_is_not_dialled(text: str) -> None:
    assert not EgressPolicy(private=True).allows(HTTPS, text)


def test_a_public_address_wants_https_and_a_usual_port() -> None:
    def ask(policy: EgressPolicy, scheme: str, port: int) -> bool:
        return policy.allows(Origin(scheme, "pictures.example", port), "93.184.216.34")

    assert ask(CLOSED, "https", 443)
    assert ask(CLOSED, "https", 80)
    assert not ask(CLOSED, "https", 8443)
    assert not ask(CLOSED, "http", 80)
    assert ask(EgressPolicy(http=True), "http", 80)
    assert not ask(EgressPolicy(http=True), "http", 6379)
    assert not ask(EgressPolicy(private=True), "http", 80)


def test_an_open_private_host_may_be_asked_by_http_on_any_port() -> None:
    opened = EgressPolicy(private=True)
    assert opened.allows(Origin("http", "localhost", 9000), "127.0.0.1")
    assert opened.allows(Origin("http", "minio", 9000), "192.168.1.9")
    assert not opened.allows(Origin("http", "minio", 9000), "93.184.216.34")


def test_a_named_host_is_open_whatever_its_case_and_no_other_host_is() -> None:
    policy = EgressPolicy.parse(["Minio.Intern.", "files_2"])
    assert policy.allows(Origin("http", "minio.intern", 9000), "10.0.0.9")
    assert policy.allows(Origin("http", "MINIO.intern.", 9000), "10.0.0.9")
    assert policy.allows(Origin("http", "files_2", 9000), "10.0.0.9")
    assert not policy.allows(Origin("http", "other.intern", 9000), "10.0.0.9")
    assert not policy.allows(Origin("http", "x.minio.intern", 9000), "10.0.0.9")


@pytest.mark.parametrize("address", ["169.254.169.254", "169.254.1.1", "fd00:ec2::254", "0.0.0.0"])
def test_a_named_host_does_not_lead_to_metadata_or_link_local_addresses(address: str) -> None:
    policy = EgressPolicy.parse(["minio.intern"], private=True)
    assert not policy.allows(Origin("https", "minio.intern", 443), address)


def test_a_range_opens_what_lies_in_it() -> None:
    policy = EgressPolicy.parse(["10.1.0.0/16", "100.64.0.0/10", "fd12::/32", "192.168.7.7"])
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "100.64.1.1", "fd12::9", "192.168.7.7"):
        assert policy.allows(Origin("http", "a.example", 8080), address)
    for address in ("10.2.0.1", "127.0.0.1", "fd13::1", "192.168.7.8", "64:ff9b::a01:203"):
        assert not policy.allows(Origin("http", "a.example", 8080), address)


def test_a_metadata_service_opens_only_when_it_is_named_by_itself() -> None:
    origin = Origin("http", "a.example", 80)
    wide = EgressPolicy.parse(["169.254.0.0/16", "0.0.0.0/0", "::/0"], private=True)
    assert wide.allows(origin, "169.254.1.1")
    assert not wide.allows(origin, "169.254.169.254")
    assert not wide.allows(origin, "fd00:ec2::254")
    assert EgressPolicy.parse(["169.254.169.254"]).allows(origin, "169.254.169.254")
    assert EgressPolicy.parse(["[fd00:ec2::254]"]).allows(origin, "fd00:ec2::254")


@pytest.mark.parametrize(
    "entry", ["", "http://minio", "minio:9000", "10.0.0.1/8", "10.0.0.0/33", "a b", "*.intern", "."]
)
def test_an_entry_that_means_nothing_is_an_error_that_names_it(entry: str) -> None:
    with pytest.raises(InvalidOption, match="neither a host name"):
        EgressPolicy.parse([entry])


def test_a_mapped_address_is_read_as_what_it_maps() -> None:
    assert read_address("::ffff:1.2.3.4") == ip_address("1.2.3.4")
