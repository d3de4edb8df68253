"""The routes of the media service: parse, call, respond."""

from igloo_media.api import items, renditions, uploads, usage

BLUEPRINTS = (uploads.blp, items.blp, usage.blp, renditions.blp)
