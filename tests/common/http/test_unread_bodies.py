"""A refusal comes after the whole body, so that its sender gets to see it."""

from __future__ import annotations

from io import BytesIO

import pytest
from flask.testing import FlaskClient

from factories.tokens import bearer
from igloo_common.ids import new_id


@pytest.mark.parametrize(
    ("path", "size_bytes", "read"),
    [("/v1/notes", 300_000, 300_000), ("/v1/notes", 1000, 0), ("/v1/notes", 3_000_000, 1024 * 1024)],
    ids=["large", "small", "beyond the limit"],
)
def test_a_refused_body_is_read_as_far_as_it_may_go(
    client: FlaskClient, path: str, size_bytes: int, read: int
) -> None:
    body = BytesIO(bytes(size_bytes))

    assert (
        client.post(path, input_stream=body, headers={"Content-Length": str(size_bytes)}).status_code == 401
    )
    assert body.tell() == read


def test_a_sender_who_is_gone_does_no_harm(client: FlaskClient) -> None:
    class Gone(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise ConnectionResetError

    answer = client.post(
        "/v1/notes", input_stream=Gone(), headers={**bearer(new_id()), "Content-Length": "300000"}
    )

    assert answer.status_code in {400, 415}
