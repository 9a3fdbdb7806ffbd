"""No URL, redirect or name makes the server connect to a place that is closed."""

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

import pytest
import trustme

from pipelines.errors import SourceUnavailable
from server.errors import SourceForbidden
from server.images.address import EgressPolicy, Origin
from server.images.dial import INTERNET, Deadline, GuardedBackend
from server.images.fetch import Fetcher
from tests.server.images.loopback import PUBLIC, Internet, say, say_ok, serve

FetcherIn = Callable[..., Fetcher]
REFUSAL = (
    "this server fetches only from public https addresses on the usual ports; "
    "its operator can allow other hosts"
)

BLOCKED = [
    "http://127.0.0.1/",
    "http://127.0.0.1:80/",
    "http://0/",
    "http://0.0.0.0/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://017700000001/",
    "http://127。0。0。1/",
    "http://127．0．0．1/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/",
    "http://[2600:1f00::5efe:7f00:1]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[fd00::1]/",
    "http://[ff02::1]/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/",
    "http://100.100.100.200/",
    "http://192.0.0.192/",
    "http://168.63.129.16/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://inside.example/",
    "http://INSIDE.example/",
    "http://mixed.example/",
    "http://mixed6.example/",
    "http://hidden.example/",
    "http://metadata.example/",
    "http://garbage.example/",
    "http://pictures.example:22/",
    "http://pictures.example:6379/",
    "https://pictures.example:8443/",
    "http://user@pictures.example/",
    "http://user:password@pictures.example/",
    "http://pictures.example\\@inside.example/",
    "ftp://pictures.example/a.png",
    "file:///etc/passwd",
    "gopher://pictures.example/",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "/etc/passwd",
    "",
]
UNREADABLE = [
    "http://0177.0.0.1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://999.999.999.999/",
    "http://[::g]/",
    "http://[::1/",
    "http:///nowhere",
    "http://pictures.example:99999/",
    "http://pictures.example:-1/",
    "http://pictures.example:0/",
    "http://pictures.example:abc/",
    "http://pictures.example/\r\nHost: inside.example",
    "http://pictures.example\t.evil/",
    "http://\ud800.example/",
    "http://" + "a" * 70_000,
]
NAMES = {
    "pictures.example": [[PUBLIC]],
    "inside.example": [["10.0.0.1"]],
    "mixed.example": [[PUBLIC, "127.0.0.1"]],
    "mixed6.example": [[PUBLIC, "2606:2800:220:1:248:1893:25c8:1946", "fd00::1"]],
    "hidden.example": [["::ffff:169.254.169.254"]],
    "metadata.example": [["169.254.169.254"]],
    "garbage.example": [["not an address"]],
}


@pytest.fixture
def internet() -> Internet:
    return Internet(names={name: list(answers) for name, answers in NAMES.items()})


@pytest.mark.parametrize("url", BLOCKED)
def test_a_blocked_url_is_refused_with_one_text_and_never_dialled(
    url: str, internet: Internet, fetcher_in: FetcherIn
) -> None:
    fetcher = fetcher_in(internet)
    with pytest.raises(SourceForbidden) as fetched:
        fetcher.get(url)
    with pytest.raises(SourceForbidden) as posted:
        fetcher.post(url, b"{}", {}, 1.0)
    assert internet.dialled == []
    assert str(fetched.value) == str(posted.value) == REFUSAL


@pytest.mark.parametrize("url", UNREADABLE)
def test_a_url_that_cannot_be_read_is_never_dialled(
    url: str, internet: Internet, fetcher_in: FetcherIn
) -> None:
    with pytest.raises(SourceUnavailable):
        fetcher_in(internet).get(url)
    with pytest.raises(SourceUnavailable):
        fetcher_in(internet).post(url, b"{}", {}, 1.0)
    assert internet.dialled == []


def test_plain_http_is_refused_unless_it_is_allowed(
    internet: Internet, fetcher_in: FetcherIn
) -> None:
    with pytest.raises(SourceForbidden):
        fetcher_in(internet, EgressPolicy()).get("http://pictures.example/a.png")
    assert internet.dialled == []


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1/",
        "http://[::ffff:127.0.0.1]/",
        "//inside.example/",
        "http://inside.example/secret",
        "http://pictures.example:6379/",
        "http://me@pictures.example/",
        "file:///etc/passwd",
        "gopher://pictures.example/",
    ],
)
def test_a_redirect_to_a_blocked_place_is_not_followed(
    target: str, internet: Internet, fetcher_in: FetcherIn
) -> None:
    with serve(say(f"302 Found\nLocation: {target}\nContent-Length: 0")) as server:
        internet.port = server.port
        with pytest.raises(SourceForbidden) as refused:
            fetcher_in(internet).get("http://pictures.example/a.png")
    assert internet.dialled == [(PUBLIC, 80)]
    assert str(refused.value) == REFUSAL


def test_a_redirect_from_https_to_http_is_refused(
    internet: Internet, authority: trustme.CA, fetcher_in: FetcherIn
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("pictures.example").configure_cert(tls)
    script = say("302 Found\nLocation: http://pictures.example/\nContent-Length: 0")
    with serve(script, tls) as server:
        internet.port = server.port
        with pytest.raises(SourceForbidden):
            fetcher_in(internet, EgressPolicy()).get("https://pictures.example/")
    assert internet.dialled == [(PUBLIC, 443)]


def test_a_loop_of_redirects_ends_after_three(internet: Internet, fetcher_in: FetcherIn) -> None:
    with serve(say("301 Moved\nLocation: /again\nContent-Length: 0")) as server:
        internet.port = server.port
        with pytest.raises(SourceUnavailable, match="more than 3 times"):
            fetcher_in(internet).get("http://pictures.example/")
        assert len(server.requests) == 4


def test_a_name_is_asked_once_and_its_checked_address_is_dialled(
    internet: Internet, fetcher_in: FetcherIn
) -> None:
    internet.names["rebinding.example"] = [[PUBLIC], ["127.0.0.1"]]
    with serve(say_ok(b"picture")) as server:
        internet.port = server.port
        fetcher = fetcher_in(internet)
        assert fetcher.get("http://rebinding.example/").data == b"picture"
        assert internet.asked == ["rebinding.example"]
        with pytest.raises(SourceForbidden):
            fetcher.get("http://rebinding.example/")
    assert internet.dialled == [(PUBLIC, 80)]


def test_a_name_that_changes_between_redirects_is_checked_again(
    internet: Internet, fetcher_in: FetcherIn
) -> None:
    internet.names["rebinding.example"] = [[PUBLIC], ["169.254.169.254"]]
    with serve(say("307 Again\nLocation: /\nContent-Length: 0")) as server:
        internet.port = server.port
        with pytest.raises(SourceForbidden):
            fetcher_in(internet).get("http://rebinding.example/")
    assert internet.dialled == [(PUBLIC, 80)]


def test_a_post_follows_no_redirect(internet: Internet, fetcher_in: FetcherIn) -> None:
    with serve(say("302 Found\nLocation: http://127.0.0.1/\nContent-Length: 0")) as server:
        internet.port = server.port
        assert fetcher_in(internet).post("http://pictures.example/", b"{}", {}, 5.0) == 302
        assert len(server.requests) == 1


def test_proxies_in_the_environment_are_ignored(
    internet: Internet, fetcher_in: FetcherIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(say_ok(b"stolen")) as proxy, serve(say_ok(b"picture")) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        internet.port = server.port
        assert fetcher_in(internet).get("http://pictures.example/").data == b"picture"
        assert proxy.requests == []


def test_private_hosts_can_be_opened_and_then_the_machines_own_network_is_used() -> None:
    with serve(say_ok(b"picture")) as server:
        url = f"http://localhost:{server.port}/a.png"
        for policy in (
            EgressPolicy(private=True),
            EgressPolicy.parse(["localhost"]),
            EgressPolicy.parse(["127.0.0.0/8", "::1"]),
        ):
            assert Fetcher(policy, 1000).get(url).data == b"picture"
        with pytest.raises(SourceForbidden):
            Fetcher(EgressPolicy(), 1000).get(url)
        assert len(server.requests) == 3


def test_a_unix_socket_is_never_opened() -> None:
    origin = Origin("http", "localhost", 80)
    backend = GuardedBackend(origin, EgressPolicy(private=True), Deadline(1), INTERNET)
    with pytest.raises(SourceForbidden):
        backend.connect_unix_socket("/var/run/docker.sock")


def test_a_connection_goes_nowhere_but_to_its_own_origin() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        port = listener.getsockname()[1]
        origin = Origin("http", "localhost", port)
        backend = GuardedBackend(origin, EgressPolicy(private=True), Deadline(1), INTERNET)
        with pytest.raises(SourceForbidden):
            backend.connect_tcp("127.0.0.1", port)
        with suppress(TimeoutError):
            listener.accept()
            pytest.fail("somebody connected")
