"""What a page did behind its back: console errors, failed requests, requests to strangers."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request, Response

_LOCAL_SCHEMES = frozenset({"data", "blob"})


class Witness:
    """Listens to a page from its first request on.

    A request that the page leaves behind when it is reloaded or closed has not failed.
    """

    def __init__(self, page: Page, *, allowed: tuple[str, ...]) -> None:
        self._allowed = {urlsplit(address).netloc for address in allowed}
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", self._note)
        page.on("requestfailed", self._note_failure)
        page.on("response", self._note_status)

    def allow(self, address: str) -> None:
        """Let the page go to one more address from now on."""
        self._allowed.add(urlsplit(address).netloc)

    def count(self, method: str, path: str) -> int:
        """Return how often something was asked for."""
        return self.requests.count(f"{method} {path}")

    def forgive(self, *, status: int, path: str) -> None:
        """Take back what was said about one expected refusal, which must have happened."""
        refusals = [said for said in self.complaints if said.startswith(f"{status} ") and path in said]
        echoes = [said for said in self.complaints if said.startswith("console") and f" {status} " in said]
        assert refusals, f"nothing at {path} was refused with {status}: {self.complaints}"
        self.complaints = [said for said in self.complaints if said not in {*refusals, *echoes}]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"console {message.type}: {message.text}")

    def _note(self, request: Request) -> None:
        parts = urlsplit(request.url)
        self.requests.append(f"{request.method} {parts.path}")
        if parts.scheme not in _LOCAL_SCHEMES and parts.netloc not in self._allowed:
            self.complaints.append(f"a stranger is asked: {request.url}")

    def _note_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _note_status(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.request.method} {response.url}")
