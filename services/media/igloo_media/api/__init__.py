"""The routes of the media service: parse, call, respond."""

from igloo_media.api import completions, items, media_forms, parts, renditions, uploads, usage

BLUEPRINTS = (
    uploads.blp,
    completions.blp,
    parts.blp,
    media_forms.blp,
    items.blp,
    usage.blp,
    renditions.blp,
)
