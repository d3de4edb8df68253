"""The routes of the media service: parse, call, respond."""

from igloo_media.api import items, renditions, uploads

BLUEPRINTS = (uploads.blp, items.blp, renditions.blp)
