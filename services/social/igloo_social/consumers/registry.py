"""The social service's subscriptions, which every module of this package adds its handlers to."""

from igloo_common.consumers import Consumers

consumers = Consumers("social")
