"""The tables of the social service, a noun a file; importing the package knows them all."""

from igloo_social.models import (
    account_tasks,
    bookmarks,
    comments,
    devices,
    facebook_friends,
    images,
    likes,
    notifications,
    posts,
    profiles,
    relations,
    reports,
    suggestions,
    suspensions,
    timeline,
)

__all__ = [
    "account_tasks",
    "bookmarks",
    "comments",
    "devices",
    "facebook_friends",
    "images",
    "likes",
    "notifications",
    "posts",
    "profiles",
    "relations",
    "reports",
    "suggestions",
    "suspensions",
    "timeline",
]
