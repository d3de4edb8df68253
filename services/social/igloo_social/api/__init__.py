"""The routes of the social service: parse, call, respond."""

from flask_smorest import Blueprint

BLUEPRINTS: tuple[Blueprint, ...] = ()
