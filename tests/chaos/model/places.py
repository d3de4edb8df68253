"""Where the checker looks: the gateway, the database as superuser, and the bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import psycopg
from botocore.config import Config

from igloo_local.environments import BUCKET, REGION
from igloo_local.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Places:
    """The addresses of one stack; those of the database and of S3 lead past any proxy."""

    gateway: str
    database: str
    s3: str
    s3_credentials: tuple[str, str]
    dead_letters: Callable[[], int] = lambda: 0
    """Counts what lies in RabbitMQ's queue of dead letters."""

    @classmethod
    def of(cls, stack: Stack, *, dead_letters: Callable[[], int] = lambda: 0) -> Places:
        """Take the addresses of a running stack."""
        seaweed, postgres = stack.parts.seaweed, stack.parts.postgres
        if seaweed is None or postgres is None:
            raise ValueError("the checker needs a stack with its own S3 and PostgreSQL")
        return cls(
            gateway=stack.addresses.gateway,
            database=postgres.url,
            s3=seaweed.url,
            s3_credentials=seaweed.credentials,
            dead_letters=dead_letters,
        )

    def connect(self) -> psycopg.Connection[Any]:
        """Open a connection of the superuser's."""
        return psycopg.connect(self.database.replace("+psycopg", ""), autocommit=True)

    def objects(self) -> Iterator[str]:
        """Yield the key of every object in the bucket."""
        key_id, secret = self.s3_credentials
        client = boto3.client(
            "s3",
            endpoint_url=self.s3,
            region_name=REGION,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            config=Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3}),
        )
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            yield from (str(row["Key"]) for row in page.get("Contents", ()))
        client.close()
