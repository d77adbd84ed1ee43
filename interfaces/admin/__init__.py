"""The admin: what staff see and do. Django finds it here, for `interfaces` is an app."""

from interfaces.admin import people, rooms

__all__ = ["people", "rooms"]
