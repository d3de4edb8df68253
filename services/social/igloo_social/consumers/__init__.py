"""The events that the social service listens to, a noun a file; importing the package subscribes to all."""

from igloo_social.consumers import accounts, images, suspensions, timeline
from igloo_social.consumers.registry import consumers

__all__ = ["accounts", "consumers", "images", "suspensions", "timeline"]
