"""Which parts this stack has: those not replaced by a given address, with what each tells the others."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from igloo_local.addresses import Addresses
from igloo_local.broker_choice import folder_url
from igloo_local.console import Console
from igloo_local.environments import (
    auth_environment,
    database_environment,
    media_environment,
    shared_environment,
    storage_environment,
)
from igloo_local.errors import PortTaken, StackError
from igloo_local.given import host_and_port
from igloo_local.parts.connection_shares import THREADS_SETTINGS
from igloo_local.parts.facebook import Facebook
from igloo_local.parts.nginx import Nginx
from igloo_local.parts.part import Part
from igloo_local.parts.postgres import Postgres
from igloo_local.parts.postgres_roles import SERVICES
from igloo_local.parts.preparation import BootStep, Preparation
from igloo_local.parts.rabbitmq import RabbitMQ
from igloo_local.parts.seaweed import Seaweed
from igloo_local.parts.service import Adjust, Service, unchanged
from igloo_local.ports import is_free, next_free_port
from igloo_local.secret_values import SecretValues

USUAL_PORT = 8080
DEMO_FOLDER = "demo"


class PartsList:
    """The parts of one stack and what they have to know of each other."""

    def __init__(
        self,
        folder: Path,
        *,
        given: Mapping[str, str],
        gateway_port: int | None,
        console: Console,
        replicas: int = 1,
        adjust: Adjust = unchanged,
    ) -> None:
        port = choose_gateway_port(gateway_port, console)
        self._folder = folder
        self._given = given
        self._logs = folder / "logs"
        self.broker_url = given.get("IGLOO_BROKER_URL", "")
        self.rabbitmq: RabbitMQ | None = None
        self.services = {
            name: Service(name, folder / name, logs=self._logs, replicas=replicas, adjust=adjust)
            for name in SERVICES
        }
        self.postgres = None if self._databases_given() else Postgres(folder / "postgres", logs=self._logs)
        self.seaweed = None if "IGLOO_S3_ENDPOINT" in given else Seaweed(folder / "s3", logs=self._logs)
        self.facebook = self._make_facebook(port)
        values = adjust("gateway", self._gateway_values())
        self.gateway = Nginx(folder / "gateway", port, values=values, logs=self._logs)
        self.preparation = Preparation(folder / "prepare", logs=self._logs)
        self._secrets = SecretValues.of(folder / "secrets.json")

    @property
    def all(self) -> list[Part]:
        """Every part of this stack."""
        optional = (self.postgres, self.seaweed, self.facebook, self.rabbitmq)
        return [
            self.gateway,
            self.preparation,
            *self.services.values(),
            *(part for part in optional if part is not None),
        ]

    def backing(self) -> list[Part]:
        """The parts that need no other part to start, but for the broker."""
        return [part for part in (self.postgres, self.seaweed, self.facebook) if part is not None]

    def stop_order(self) -> list[list[Part]]:
        """Groups to stop one after the other: first who asks, then who is asked."""
        broker = [] if self.rabbitmq is None else [self.rabbitmq]
        return [[self.gateway, self.preparation], [*self.services.values()], [*self.backing(), *broker]]

    def own_stores(self) -> tuple[Postgres, Seaweed]:
        """Return what keeps this stack's data.

        Raises:
            StackError: it was given by an address, and is not this stack's.
        """
        if self.postgres is None or self.seaweed is None:
            raise StackError("this stack's PostgreSQL or S3 was given by an address")
        return self.postgres, self.seaweed

    def use_broker(self, kind: str) -> None:
        """Settle which broker carries the events."""
        if kind == "rabbitmq":
            self.rabbitmq = RabbitMQ(self._folder / "rabbitmq", logs=self._logs)
            self.broker_url = self.rabbitmq.url
        else:
            self.broker_url = folder_url(self._folder / "broker")

    def _environment_of(self, service: str) -> dict[str, str]:
        """Return everything that a service is told."""
        shared = shared_environment(
            gateway=self.gateway.url,
            # A replica of auth may be away while another serves, or stands in; the gateway knows which.
            jwks_url=f"{self.gateway.url}/.well-known/jwks.json",
            broker_url=self.broker_url,
            secret_values=self._secrets,
            given=self._given,
        )
        own: dict[str, str] = {}
        if service == "auth":
            own = auth_environment(self._folder / "auth", self.facebook, gateway=self.gateway.url)
        elif service == "media":
            own = media_environment(purge_url=self.gateway.purge_url)
        storage = storage_environment(self.seaweed)
        return {**own, **storage, **database_environment(service, self.postgres), **shared}

    def configure(self) -> None:
        """Tell the services and their preparation everything; the broker must have been settled."""
        for name, service in self.services.items():
            service.configure(self._environment_of(name))
        by_folder = self.broker_url.startswith("filesystem:")
        place = None if by_folder else host_and_port(self.broker_url)
        queues = [BootStep(service=name, words="events declare", place=place) for name in self.services]
        s3 = host_and_port(self._s3_endpoint())
        bucket = BootStep(service="media", words="storage prepare", place=s3)
        environments = {name: service.environment for name, service in self.services.items()}
        self.preparation.configure(environments, [bucket, *queues])

    def describe(self, addresses: Addresses) -> None:
        """Fill in where everything is."""
        addresses.gateway = self.gateway.url
        addresses.docs = f"{self.gateway.url}/docs"
        addresses.s3 = self._s3_endpoint()
        addresses.broker = self.broker_url
        addresses.logs = str(self._logs)
        self._describe_services(addresses)
        self._describe_facebook(addresses)

    def _describe_services(self, addresses: Addresses) -> None:
        services = self.services.items()
        addresses.services = {name: one.urls for name, one in services}
        addresses.metrics = {
            name: {process: f"{url}/metrics" for process, url in one.urls.items()} for name, one in services
        }
        addresses.databases = {
            name: one.environment[f"IGLOO_{name.upper()}_DATABASE_URL"] for name, one in services
        }
        if self.postgres is not None:
            addresses.databases = {**addresses.databases, "superuser": self.postgres.url}

    def _describe_facebook(self, addresses: Addresses) -> None:
        if self.facebook is None:
            addresses.facebook = self._given["IGLOO_FACEBOOK_GRAPH_URL"]
            addresses.facebook_app_id = self._given["FACEBOOK_APP_ID"]
            return
        addresses.facebook = self.facebook.url
        addresses.facebook_app_id, addresses.facebook_app_secret = self.facebook.app
        other_id, other_secret = self.facebook.other_app
        addresses.facebook_other_app = {"id": other_id, "secret": other_secret}

    def _databases_given(self) -> bool:
        return all(f"IGLOO_{service.upper()}_DATABASE_URL" in self._given for service in SERVICES)

    def _make_facebook(self, gateway_port: int) -> Facebook | None:
        if "IGLOO_FACEBOOK_GRAPH_URL" in self._given:
            return None
        callbacks_to = f"http://127.0.0.1:{gateway_port}"
        return Facebook(self._folder / "facebook", logs=self._logs, callbacks_to=callbacks_to)

    def _s3_endpoint(self) -> str:
        return self._given["IGLOO_S3_ENDPOINT"] if self.seaweed is None else self.seaweed.url

    def _gateway_values(self) -> dict[str, str]:
        public = self._given.get("IGLOO_S3_PUBLIC_ENDPOINT") or self._s3_endpoint()
        demo = self._folder / DEMO_FOLDER
        demo.mkdir(parents=True, exist_ok=True)
        upstreams = {
            f"{name.upper()}_UPSTREAM": " ".join(one.web_places) for name, one in self.services.items()
        }
        threads = {name: self._given[name] for name in THREADS_SETTINGS if name in self._given}
        return {
            **upstreams,
            **threads,
            "S3_UPSTREAM": "{}:{}".format(*host_and_port(self._s3_endpoint())),
            "S3_PUBLIC_ORIGIN": f"{urlsplit(public).scheme}://{urlsplit(public).netloc}",
            "DOCS_UI_FOLDER": str(_package_folder("flask_swagger_ui") / "dist"),
            "DEMO_FOLDER": str(demo),
        }


def choose_gateway_port(wanted: int | None, console: Console, *, usual: int = USUAL_PORT) -> int:
    """Take the wanted port, the usual one, or the next free one; only a wanted one must be had."""
    if wanted is not None and not is_free(wanted):
        raise PortTaken(f"IGLOO_PORT={wanted} is taken by another program; choose another, or none for any")
    if wanted is not None or is_free(usual):
        return wanted or usual
    port = next_free_port(usual)
    console.say(f"port {usual} is taken, so the gateway uses {port} (choose one with IGLOO_PORT)")
    return port


def _package_folder(name: str) -> Path:
    package = find_spec(name)
    if package is None or not package.submodule_search_locations:
        raise StackError(f"the package {name} is missing: run infra/local/bootstrap local")
    return Path(package.submodule_search_locations[0])
