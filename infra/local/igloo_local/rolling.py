"""Rolling restarts: every process of a service is replaced, and no request fails for it."""

from collections.abc import Callable

from igloo_local.errors import StackError
from igloo_local.parts.nginx import Nginx
from igloo_local.parts.service import Service
from igloo_local.processes import ChildProcess

# As long as a web process, or a worker, takes for what it has under way.
STOP_SECONDS = 30.0


def restart_service(service: Service, gateway: Nginx, *, report: Callable[[str], None]) -> None:
    """Replace all processes of a service, one at a time, while it serves.

    First one web process more is started; only when it is ready, its elders go: each gets no new requests,
    finishes its own, stops, starts and gets requests again. So there is never one less than before, a single
    one can be replaced as well, and code that does not start is found before anything was stopped. Workers
    follow one by one: what one has not finished, another finds.

    Raises:
        StackError: a process did not become ready, with its last log lines. The others are as they were, and
            requests go to all of them; one that has already been stopped is started again and again by the
            supervisor, and an extra web process serves in its place.
    """
    _replace_webs(service, gateway, report)
    for worker in [*service.of_role("worker")]:
        _replace(service, worker)
        report(f"{worker.name} has been restarted")


def _replace_webs(service: Service, gateway: Nginx, report: Callable[[str], None]) -> None:
    webs, places = [*service.of_role("web")], gateway.places(service.name)
    _start_extra(service)
    extra = [service.place_of(one) for one in service.extra_webs()]
    try:
        for web, place in zip(webs, places, strict=True):
            gateway.route(service.name, extra=extra, down=[place])
            _replace(service, web)
            report(f"{web.name} has been restarted")
    except StackError:
        gateway.route(service.name, extra=extra)
        raise
    gateway.route(service.name)
    _end_extras(service)


def _start_extra(service: Service) -> None:
    extra = service.add_extra_web()
    try:
        extra.start()
        service.wait_ready(extra)
    except BaseException:
        extra.stop()
        service.processes.remove(extra)
        raise


def _end_extras(service: Service) -> None:
    for extra in service.extra_webs():
        extra.stop(patience_seconds=STOP_SECONDS)
        service.processes.remove(extra)


def _replace(service: Service, process: ChildProcess) -> None:
    process.stop(patience_seconds=STOP_SECONDS)
    process.start()
    service.wait_ready(process)
