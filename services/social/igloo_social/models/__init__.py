"""The tables of the social service, a noun a file; importing the package knows them all."""

from igloo_social.models import profiles, relations

__all__ = ["profiles", "relations"]
