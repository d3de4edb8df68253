"""What Facebook tells an app by itself: that a person removed it, or asks for their data to be deleted."""

import logging

import requests

from igloo_local.facebook.people import Person
from igloo_local.facebook.settings import Settings
from igloo_local.facebook.signing import signed_request

TIMEOUT_SECONDS = 10
_log = logging.getLogger(__name__)


def tell_deauthorized(settings: Settings, person: Person) -> bool:
    """Call the app's deauthorize address; Facebook does not care whether that works, and calls once."""
    try:
        return _post(settings.deauthorize_url, settings, person).ok
    except requests.RequestException:
        _log.exception("the deauthorize callback failed")
        return False


def ask_data_deletion(settings: Settings, person: Person) -> requests.Response:
    """Call the app's data deletion address; the answer, a status page and a code, is for the person."""
    return _post(settings.data_deletion_url, settings, person)


def _post(url: str, settings: Settings, person: Person) -> requests.Response:
    signed = signed_request(person.id, settings.apps[person.app_id])
    return requests.post(url, data={"signed_request": signed}, timeout=TIMEOUT_SECONDS)
