"""Graph's list of friends: those who use the app too and share their friends, a page at a time."""

import base64
from urllib.parse import urlencode

from flask import Blueprint, request

from igloo_local.facebook.directory import directory
from igloo_local.facebook.errors import ObjectUnknown, ParameterInvalid
from igloo_local.facebook.people import Person, Token
from igloo_local.facebook.permissions import USER_FRIENDS

blueprint = Blueprint("friends", __name__)

_DEFAULT_LIMIT = 25
_MAXIMUM_LIMIT = 5000


@blueprint.get("/me/friends")
def list_my_friends() -> dict[str, object]:
    """List the friends of the person whose token this is; without the permission there are none to see."""
    token = directory().authorization.calling_user()
    friends = directory().people.friends_of(token.person_id)
    return {**_page(_visible(friends, token)), "summary": {"total_count": len(friends)}}


@blueprint.post("/<person_id>/friends/<friend_id>")
def befriend(person_id: str, friend_id: str) -> dict[str, object]:
    """Make two test users friends.

    Facebook takes two calls, a request and its confirmation; here one of them is enough and two do no harm.
    """
    if directory().authorization.calling_user().person_id != person_id:
        raise ObjectUnknown(person_id)
    directory().people.befriend(person_id, directory().person(friend_id).id)
    return {"success": True}


def friends_for_app(person: Person) -> list[str] | None:
    """Return the ids that an id token carries; None when the person does not share their friends."""
    if USER_FRIENDS not in person.permissions:
        return None
    friends = directory().people.friends_of(person.id)
    return [friend.id for friend in friends if _shares(friend, person.app_id)]


def _visible(friends: list[Person], token: Token) -> list[Person]:
    if USER_FRIENDS not in token.permissions:
        return []
    return [friend for friend in friends if _shares(friend, token.app_id)]


def _shares(friend: Person, app_id: str) -> bool:
    return friend.app_id == app_id and USER_FRIENDS in friend.permissions


def _page(friends: list[Person]) -> dict[str, object]:
    """Cut a page out. https://developers.facebook.com/docs/graph-api/results."""
    limit = request.args.get("limit", _DEFAULT_LIMIT, type=int)
    if not 0 < limit <= _MAXIMUM_LIMIT:
        raise ParameterInvalid("Param limit must be a positive number of at most 5000")
    start = _start(friends)
    page = friends[start : start + limit]
    data = [{"name": friend.name, "id": friend.id} for friend in page]
    if not page:
        return {"data": data}
    cursors = {"before": _cursor(page[0]), "after": _cursor(page[-1])}
    more = start + limit < len(friends)
    return {
        "data": data,
        "paging": {"cursors": cursors, **({"next": _next(cursors["after"])} if more else {})},
    }


def _start(friends: list[Person]) -> int:
    after = request.args.get("after")
    if after is None:
        return 0
    for position, friend in enumerate(friends):
        if _cursor(friend) == after:
            return position + 1
    raise ParameterInvalid("Invalid cursors values")


def _cursor(friend: Person) -> str:
    return base64.urlsafe_b64encode(friend.id.encode()).decode()


def _next(after: str) -> str:
    query = urlencode({**request.args, "after": after})
    return f"{directory().settings.public_url}/v25.0/me/friends?{query}"
