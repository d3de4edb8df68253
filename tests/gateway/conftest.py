"""A running gateway for each nginx on this machine, with recording servers behind it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.nginx_process import NginxProcess, nginx_binaries
from gateway.upstreams import Upstream
from gateway.wire import Wire
from igloo_local.ports import free_port

UPSTREAM_NAMES = ("auth", "social", "media", "s3")


@pytest.fixture(scope="session", params=nginx_binaries().items(), ids=lambda item: item[0])
def nginx_binary(request: pytest.FixtureRequest) -> Path:
    """Give each nginx in turn."""
    _name, path = request.param
    return Path(path)


@pytest.fixture(scope="session")
def running_upstreams() -> Iterator[Mapping[str, Upstream]]:
    """Start the servers behind the gateway."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(Upstream(name)) for name in UPSTREAM_NAMES}


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder in which the local stack leaves demo.json."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="session")
def gateway(
    nginx_binary: Path,
    running_upstreams: Mapping[str, Upstream],
    demo_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[NginxProcess]:
    """Start nginx in front of the upstreams."""
    nginx = NginxProcess.prepare(
        binary=nginx_binary,
        folder=tmp_path_factory.mktemp("nginx"),
        values=placeholders(running_upstreams, demo_folder=demo_folder),
    )
    process = nginx.start()
    yield nginx
    nginx.stop(process)


@pytest.fixture(scope="session")
def troubled_gateway(
    nginx_binary: Path,
    running_upstreams: Mapping[str, Upstream],
    demo_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[NginxProcess]:
    """Start an nginx of one process that has little patience and no auth behind it."""
    nginx = NginxProcess.prepare(
        binary=nginx_binary,
        folder=tmp_path_factory.mktemp("troubled-nginx"),
        values={
            **placeholders(running_upstreams, demo_folder=demo_folder),
            "AUTH_UPSTREAM": f"127.0.0.1:{free_port()}",
            "GATEWAY_WORKERS": "1",
        },
        replaced={
            "proxy_read_timeout 15s": "proxy_read_timeout 300ms",
            "header_timeout 10s": "header_timeout 300ms",
        },
    )
    process = nginx.start()
    yield nginx
    nginx.stop(process)


@pytest.fixture
def troubled_wire(troubled_gateway: NginxProcess, upstreams: Mapping[str, Upstream]) -> Wire:
    """Give a way to the impatient gateway, with fresh upstreams."""
    assert upstreams
    return Wire(port=troubled_gateway.port)


@pytest.fixture
def upstreams(running_upstreams: Mapping[str, Upstream]) -> Mapping[str, Upstream]:
    """Give the servers behind the gateway with nothing received yet."""
    for upstream in running_upstreams.values():
        upstream.reset()
    return running_upstreams


@pytest.fixture
def wire(gateway: NginxProcess, upstreams: Mapping[str, Upstream]) -> Wire:
    """Give a way to the gateway, with fresh upstreams."""
    assert upstreams
    return Wire(port=gateway.port)


def placeholders(upstreams: Mapping[str, Upstream], *, demo_folder: Path) -> dict[str, str]:
    """Give the template's values for these upstreams."""
    swagger_ui = importlib.util.find_spec("flask_swagger_ui")
    assert swagger_ui is not None
    assert swagger_ui.origin is not None
    return {
        "AUTH_UPSTREAM": upstreams["auth"].address,
        "SOCIAL_UPSTREAM": upstreams["social"].address,
        "MEDIA_UPSTREAM": upstreams["media"].address,
        "S3_UPSTREAM": upstreams["s3"].address,
        "S3_PUBLIC_ORIGIN": f"http://{upstreams['s3'].address}",
        "DOCS_UI_FOLDER": str(Path(swagger_ui.origin).parent / "dist"),
        "DEMO_FOLDER": str(demo_folder),
    }
