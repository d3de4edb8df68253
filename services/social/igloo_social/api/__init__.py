"""The routes of the social service: parse, call, respond."""

from igloo_common.web import Blueprint
from igloo_social.api import (
    blocks,
    bookmarks,
    comments,
    devices,
    explore,
    feed,
    follow_requests,
    follows,
    likes,
    mutes,
    notifications,
    posts,
    profiles,
    relations,
    revisions,
    suggestions,
    tags,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    profiles.blp,
    relations.blp,
    follows.blp,
    follow_requests.blp,
    blocks.blp,
    mutes.blp,
    posts.blp,
    revisions.blp,
    tags.blp,
    explore.blp,
    feed.blp,
    likes.blp,
    bookmarks.blp,
    comments.blp,
    notifications.blp,
    devices.blp,
    suggestions.blp,
)
