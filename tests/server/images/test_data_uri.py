"""Data URIs as browsers and clients write them, and as attackers do."""

import base64

import pytest
from hypothesis import given, strategies as st

from pipelines.errors import ImageTooLarge, ImageUndecodable, SourceUnavailable
from server.images.data_uri import is_data_uri, read_data_uri


@given(st.binary(max_size=300), st.sampled_from(["image/png", "image/svg+xml", "application/zip"]))
def test_what_was_put_in_comes_out(data: bytes, media_type: str) -> None:
    uri = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    assert read_data_uri(uri, len(data)) == (data, media_type)


@pytest.mark.parametrize(
    ("uri", "data", "media_type"),
    [
        ("data:image/jpg;base64,/+8=", b"\xff\xef", "image/jpeg"),
        ("DATA:IMAGE/PNG;BASE64,YWI=", b"ab", "image/png"),
        ("data:image/png;charset=utf-8;base64,YWI=", b"ab", "image/png"),
        ("data:;base64,YWI=", b"ab", "application/octet-stream"),
        ("data:application/octet-stream;base64,YWI=", b"ab", "application/octet-stream"),
        ("data:application/x-zip-compressed;base64,YWI=", b"ab", "application/x-zip-compressed"),
        ("data:image/png;base64,YWI", b"ab", "image/png"),
        ("data:image/png;base64,YW\r\n I=\n", b"ab", "image/png"),
        ("data:image/png;base64,%2F%2B8%3D", b"\xff\xef", "image/png"),
        ("data:image/png;base64,", b"", "image/png"),
    ],
)
def test_the_usual_spellings_are_read(uri: str, data: bytes, media_type: str) -> None:
    assert is_data_uri(uri)
    assert read_data_uri(uri, 1000) == (data, media_type)


@pytest.mark.parametrize(
    "uri",
    [
        "data:image/png;base64",
        "data:image/png,plain",
        "data:image/png;base64;charset=utf-8,YWI=",
        "data:image/png;base64,YW!=",
        "data:image/png;base64,Y",
        "data:image/png;base64,YW=I=",
        "data:image/png;base64,äöü",
        "data:image/png;base64,%zz",
        "data:" + "x" * 300 + ";base64,YWI=",
        "image/png;base64,YWI=",
        "https://pictures.example/a.png",
        "",
    ],
)
def test_what_is_no_data_uri_in_base64_is_refused(uri: str) -> None:
    with pytest.raises(SourceUnavailable):
        read_data_uri(uri, 1000)


@pytest.mark.parametrize("said", ["text/html", "application/pdf", "image/", "image", "image/a b"])
def test_what_says_itself_that_it_is_no_picture_is_refused(said: str) -> None:
    with pytest.raises(ImageUndecodable):
        read_data_uri(f"data:{said};base64,YWI=", 1000)


def test_one_byte_too_many_is_refused_before_it_is_decoded() -> None:
    payload = base64.b64encode(bytes(1000)).decode()
    assert len(read_data_uri(f"data:image/png;base64,{payload}", 1000).data) == 1000
    for text in (payload, payload.rstrip("="), "!" * 5000):
        with pytest.raises(ImageTooLarge):
            read_data_uri(f"data:image/png;base64,{text}", 999)
