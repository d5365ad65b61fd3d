"""Where the target is: addresses, credentials and proxies, from --url and the environment."""

from __future__ import annotations

import pytest

from simulator.command_line.environment import read_address
from simulator.options import read_options


@pytest.mark.parametrize(
    ("url", "environ", "target"),
    [
        (None, {}, "http://localhost:5000"),
        (None, {"SIMULATOR_TARGET": ""}, "http://localhost:5000"),
        (None, {"SIMULATOR_TARGET": "  "}, "http://localhost:5000"),
        (None, {"SIMULATOR_TARGET": " https://a.example/ \n"}, "https://a.example"),
        ("http://b.example", {"SIMULATOR_TARGET": "http://a.example"}, "http://b.example"),
        ("http://[::1]:5000", {}, "http://[::1]:5000"),
        ("http://[fe80::1%25eth0]:5000/", {}, "http://[fe80::1%25eth0]:5000"),
        ("http://a.example/below/", {}, "http://a.example/below"),
    ],
)
def test_target_is_the_option_then_the_environment(
    url: str | None, environ: dict[str, str], target: str
) -> None:
    """Empty means unset; a slash at the end does not matter."""
    assert read_address(url, 10, environ).url == target


@pytest.mark.parametrize("url", ["http://::1:5000", "http://::1", "::1", "http://[::1"])
def test_address_of_ipv6_without_brackets(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As from HOST=::1: the sentence shows how it is written."""
    with pytest.raises(SystemExit) as ended:
        read_options(["--url", url], {})

    said = capsys.readouterr().err
    assert ended.value.code == 2 and "must be an address" in said
    assert url.count(":") <= 2 or "as http://[::1]:5000" in said


def test_token_is_sent_as_bearer() -> None:
    """Blanks around it are those of a copy."""
    address = read_address(None, 10, {"ACCESS_TOKEN": " a-token\n"})

    assert address.authorization == "Bearer a-token"
    assert read_address(None, 10, {"ACCESS_TOKEN": " "}).authorization is None
    rotated = read_address(None, 10, {"ACCESS_TOKEN": "a-token, the-old-one"})
    assert rotated.authorization == "Bearer a-token"


def test_credentials_of_the_url_are_a_header_and_never_shown() -> None:
    """Summaries end up on pages; a password in the address would be there too."""
    address = read_address("https://me:p%40ss@a.example:8443/x", 10, {})

    assert address.url == "https://a.example:8443/x"
    assert address.authorization == "Basic bWU6cEBzcw=="


@pytest.mark.parametrize(
    ("url", "environ", "sentence"),
    [
        ("http://a.example", {"ACCESS_TOKEN": "two\nlines"}, "ACCESS_TOKEN must be one line"),
        ("http://me:pw@a.example", {"ACCESS_TOKEN": "x"}, "give one of them"),
        ("http://me:pw@a.example/?x=1", {}, "got 'http://…@a.example/?x=1'"),
        ("http://a.example", {"HTTP_PROXY": "socks5://me:pw@p"}, "HTTP_PROXY must be the address"),
        ("http://a.example", {"http_proxy": "http://:3128"}, "http_proxy must be the address"),
    ],
)
def test_environment_that_cannot_be_used(
    url: str, environ: dict[str, str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code 2 and a sentence with the variable; never a password."""
    with pytest.raises(SystemExit) as ended:
        read_options(["--url", url], environ)

    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert sentence in said and "pw" not in said
