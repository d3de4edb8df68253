"""The adapter to Graph over real HTTP: what it asks, and what it makes of each kind of answer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing

import pytest

from auth.facebook_server import OUR_APP, Answer, FacebookServer, answering, proof_of
from igloo_auth.facebook.failures import FacebookFailed, FacebookTokenInvalid, FacebookUnavailable
from igloo_auth.facebook.graph import FacebookGraph, Patience
from igloo_auth.settings import FACEBOOK_GRAPH_VERSION, FacebookSettings

HTML = answering(200, "<html>We are down for maintenance</html>", "text/html")
BROKEN = answering(500, '{"error": {"code": 1, "message": "unknown"}}')
VALID = f'{{"data": {{"is_valid": true, "app_id": "{OUR_APP[0]}", "type": "USER", "user_id": "7"}}}}'


def graph_at(url: str, patience: Patience | None = None) -> FacebookGraph:
    """Make an adapter that speaks to this address."""
    settings = FacebookSettings(
        app_id=OUR_APP[0],
        app_secret=OUR_APP[1],
        graph_url=url,
        web_url=url,
        jwks_url=f"{url}/.well-known/oauth/openid/jwks/",
        graph_version=FACEBOOK_GRAPH_VERSION,
    )
    return FacebookGraph(settings, connections=4, patience=patience)


@pytest.fixture
def graph(facebook: FacebookServer) -> Iterator[FacebookGraph]:
    """Return an adapter of the running stand-in."""
    with closing(graph_at(facebook.url)) as adapter:
        yield adapter


def test_the_person_is_who_facebook_says(facebook: FacebookServer, graph: FacebookGraph) -> None:
    person = facebook.person("Snow Hare")

    found = graph.identify(facebook.token(person))

    assert (found.facebook_user_id, found.display_name) == (person.id, "Snow Hare")
    assert found.picture_url == f"http://facebook.test/pictures/{person.id}.svg"


def test_every_call_names_the_pinned_version_and_proves_the_app_secret(
    facebook: FacebookServer, graph: FacebookGraph
) -> None:
    token = facebook.token(facebook.person())

    graph.identify(token)

    inspect, profile = facebook.calls
    app_token = "|".join(OUR_APP)
    assert inspect.path == f"/{FACEBOOK_GRAPH_VERSION}/debug_token"
    assert inspect.query == {
        "input_token": token,
        "access_token": app_token,
        "appsecret_proof": proof_of(app_token),
    }
    assert profile.path == f"/{FACEBOOK_GRAPH_VERSION}/me"
    assert (profile.query["access_token"], profile.query["appsecret_proof"]) == (token, proof_of(token))
    assert "email" not in profile.query["fields"]


def test_facebook_is_asked_through_the_proxy_of_the_environment(
    facebook: FacebookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    # The stand-in plays the proxy: nobody else knows a host of this name.
    monkeypatch.setenv("http_proxy", facebook.url)

    with closing(graph_at("http://graph.invalid")) as adapter:
        found = adapter.identify(facebook.token(facebook.person("Hare")))

    assert found.display_name == "Hare"


@pytest.mark.parametrize("path", ["/debug_token", "/me"])
@pytest.mark.parametrize(
    "hiccup", [BROKEN, HTML, answering(200, "[]"), answering(502, "")], ids=["500", "HTML", "list", "empty"]
)
def test_one_hiccup_is_forgiven(
    facebook: FacebookServer, graph: FacebookGraph, path: str, hiccup: Answer
) -> None:
    facebook.answer(path, hiccup)

    assert graph.identify(facebook.token(facebook.person("Hare"))).display_name == "Hare"
    assert len(facebook.asked(path)) == 2


@pytest.mark.parametrize("path", ["/debug_token", "/me"])
@pytest.mark.parametrize(
    ("hiccup", "refusal"), [(BROKEN, FacebookUnavailable), (HTML, FacebookFailed)], ids=["500", "HTML"]
)
def test_after_two_hiccups_facebook_counts_as_away_or_as_failing(
    facebook: FacebookServer, graph: FacebookGraph, path: str, hiccup: Answer, refusal: type[Exception]
) -> None:
    facebook.answer(path, hiccup, hiccup)

    with pytest.raises(refusal):
        graph.identify(facebook.token(facebook.person()))
    assert len(facebook.asked(path)) == 2


@pytest.mark.parametrize(("budget_seconds", "attempts"), [(5.0, 2), (0.0, 1)], ids=["time left", "none left"])
def test_a_facebook_that_does_not_answer_is_given_up_sooner_when_the_time_is_spent(
    facebook: FacebookServer, caplog: pytest.LogCaptureFixture, budget_seconds: float, attempts: int
) -> None:
    facebook.answer("/debug_token", facebook.silence, facebook.silence)

    with (
        closing(graph_at(facebook.url, Patience(connect=2.0, read=0.1, budget=budget_seconds))) as graph,
        pytest.raises(FacebookUnavailable),
    ):
        graph.identify("EAAtoken")
    # Counted here and not at the server, which may not have read a request yet that we gave up.
    assert [vars(record)["cause"] for record in caplog.records] == ["ReadTimeout"] * attempts


def test_nobody_listening_is_unavailable_too() -> None:
    with closing(graph_at("http://127.0.0.1:9")) as graph, pytest.raises(FacebookUnavailable):
        graph.identify("EAAtoken")


@pytest.mark.parametrize(
    "answer",
    [
        answering(400, '{"error": {"code": 4, "message": "Application request limit reached"}}'),
        answering(429, "{}"),
    ],
    ids=["code 4", "429"],
)
def test_a_facebook_that_asks_for_less_is_not_asked_again_at_once(
    facebook: FacebookServer, graph: FacebookGraph, answer: Answer
) -> None:
    facebook.answer("/debug_token", answer)

    with pytest.raises(FacebookUnavailable) as refusal:
        graph.identify(facebook.token(facebook.person()))
    assert (refusal.value.code, refusal.value.retry_after_seconds) == ("facebook_unavailable", 60)
    assert len(facebook.calls) == 1


def test_a_token_withdrawn_between_the_two_questions_is_refused(
    facebook: FacebookServer, graph: FacebookGraph
) -> None:
    facebook.answer("/me", answering(400, '{"error": {"code": 190, "error_subcode": 458}}'))

    with pytest.raises(FacebookTokenInvalid):
        graph.identify(facebook.token(facebook.person()))
    assert len(facebook.asked("/me")) == 1


def test_a_refusal_of_our_own_credentials_is_not_blamed_on_the_person(
    facebook: FacebookServer, graph: FacebookGraph, caplog: pytest.LogCaptureFixture
) -> None:
    facebook.answer("/debug_token", answering(400, '{"error": {"code": 190, "message": "Invalid token"}}'))

    with pytest.raises(FacebookFailed):
        graph.identify(facebook.token(facebook.person()))
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ('{"is_valid": false, "app_id": "1234567890", "user_id": "7"}', "not_valid"),
        ('{"is_valid": "true", "app_id": "1234567890", "user_id": "7"}', "not_valid"),
        ('{"app_id": "1234567890", "user_id": "7"}', "not_valid"),
        ('{"is_valid": true, "app_id": "1", "user_id": "7"}', "other_app"),
        ('{"is_valid": true, "user_id": "7"}', "other_app"),
        ('{"is_valid": true, "app_id": "1234567890"}', "no_person"),
        ('{"is_valid": true, "app_id": "1234567890", "type": "APP", "user_id": "7"}', "no_person"),
        ('{"is_valid": true, "app_id": "1234567890", "type": "PAGE", "user_id": "7"}', "no_person"),
    ],
)
def test_only_a_valid_token_of_a_person_for_our_app_is_taken(
    facebook: FacebookServer, graph: FacebookGraph, facts: str, reason: str
) -> None:
    facebook.answer("/debug_token", answering(200, f'{{"data": {facts}}}'))

    with pytest.raises(FacebookTokenInvalid) as refusal:
        graph.identify("EAAtoken")
    assert refusal.value.extra == {"error": "invalid_grant", "reason": reason}
    assert facebook.asked("/me") == []


def test_two_answers_about_two_people_are_not_believed(
    facebook: FacebookServer, graph: FacebookGraph
) -> None:
    facebook.answer("/debug_token", answering(200, VALID))
    facebook.answer("/me", answering(200, '{"id": "8", "name": "Somebody Else"}'))

    with pytest.raises(FacebookFailed):
        graph.identify("EAAtoken")


@pytest.mark.parametrize(
    "picture",
    [
        "null",
        '{"data": {"is_silhouette": true, "url": "https://facebook.test/grey"}}',
        '{"data": {"url": "javascript:alert(1)"}}',
    ],
    ids=["none", "silhouette", "no web address"],
)
def test_a_person_without_a_name_or_picture_signs_in_all_the_same(
    facebook: FacebookServer, graph: FacebookGraph, picture: str
) -> None:
    facebook.answer("/debug_token", answering(200, VALID))
    facebook.answer("/me", answering(200, f'{{"id": "7", "name": " ", "picture": {picture}}}'))

    found = graph.identify("EAAtoken")

    assert (found.display_name, found.picture_url) == (None, None)


def test_a_redirect_is_not_followed_with_the_tokens(facebook: FacebookServer, graph: FacebookGraph) -> None:
    def redirect() -> object:
        response = answering(302, "")()
        response.headers["Location"] = f"{facebook.url}/elsewhere"
        return response

    facebook.answer("/debug_token", redirect, redirect)  # type: ignore[arg-type]  # it is a response

    with pytest.raises(FacebookFailed):
        graph.identify("EAAtoken")
    assert facebook.asked("/elsewhere") == []


def test_no_log_and_no_error_holds_a_token(
    facebook: FacebookServer, graph: FacebookGraph, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = facebook.token(facebook.person())
    facebook.answer("/debug_token", BROKEN)
    graph.identify(token)

    with (
        closing(graph_at("http://127.0.0.1:9")) as unreachable,
        pytest.raises(FacebookUnavailable) as failure,
    ):
        unreachable.identify(token)

    formatter = logging.Formatter()
    written = "".join(formatter.format(record) + repr(vars(record)) for record in caplog.records)
    assert "facebook failed" in written
    chain = repr((failure.value, failure.value.__cause__, failure.value.__context__))
    for secret in (token, OUR_APP[1], proof_of(token)):
        assert secret not in written
        assert secret not in chain
