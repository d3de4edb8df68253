"""The routes of the social service: parse, call, respond."""

from igloo_common.web import Blueprint
from igloo_social.api import (
    blocks,
    bookmarks,
    devices,
    feed,
    follow_requests,
    follows,
    likes,
    mutes,
    notifications,
    posts,
    profiles,
    relations,
    suggestions,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    profiles.blp,
    relations.blp,
    follows.blp,
    follow_requests.blp,
    blocks.blp,
    mutes.blp,
    posts.blp,
    feed.blp,
    likes.blp,
    bookmarks.blp,
    notifications.blp,
    devices.blp,
    suggestions.blp,
)
