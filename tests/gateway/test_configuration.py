"""The configuration is one that nginx takes without a murmur."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.nginx_process import GATEWAY, NginxProcess
from gateway.wire import Wire


def test_nginx_takes_the_configuration_without_a_warning(gateway: NginxProcess) -> None:
    result = gateway.check()

    assert result.returncode == 0, result.stderr
    assert [line for line in result.stderr.splitlines() if "[warn]" in line or "[alert]" in line] == []


def test_no_upstream_is_ever_taken_out_by_a_failed_request(gateway: NginxProcess) -> None:
    written = (gateway.folder / "nginx.conf").read_text()
    servers = re.findall(r"^ *upstream \w+ +\{ server (.*?);", written, re.MULTILINE)
    assert len(servers) == 5
    assert all("max_fails=0" in server for server in servers)


def test_headers_are_added_at_server_level_only() -> None:
    """One add_header in a location would drop all the others there, the security headers too."""
    added = [(depth, line) for depth, line in lines_with_depth() if line.startswith("add_header ")]
    deliberate = 'add_header Retry-After "";'
    assert {depth for depth, line in added if line != deliberate} == {2}
    assert [line for _depth, line in added].count(deliberate) == 1


def test_every_placeholder_is_documented() -> None:
    documented = (GATEWAY / "README.md").read_text()
    names = set(re.findall(r"\$\{([A-Z0-9_]+)\}", template()))
    assert {name for name in names if f"`{name}`" not in documented} == set()


def test_the_gateway_is_healthy_with_nothing_behind_it(troubled_wire: Wire) -> None:
    reply = troubled_wire.get("/healthz")
    assert (reply.status, reply.json()) == (200, {"status": "ok"})
    assert reply.headers["content-type"] == "application/json"


def test_nothing_is_written_outside_its_folders(gateway: NginxProcess) -> None:
    written = {path.name for path in gateway.folder.iterdir()}
    assert {"nginx.pid", "access.log", "error.log", "client-body", "rendition-cache"} <= written
    assert not Path("nginx.pid").exists()


def template() -> str:
    return (GATEWAY / "nginx.conf.template").read_text()


def lines_with_depth() -> list[tuple[int, str]]:
    depth, found = 0, []
    for raw in template().splitlines():
        line = re.sub(r"\$\{\w+\}|#.*", "", raw).strip()
        found.append((depth, line))
        depth += line.count("{") - line.count("}")
    return found
