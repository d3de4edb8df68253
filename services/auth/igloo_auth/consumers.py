"""The events that the auth service handles: none yet, so its queue is bound to nothing."""

from igloo_common.consumers import Consumers

consumers = Consumers("auth")
