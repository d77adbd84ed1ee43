"""What the original's page is remembered by, in Redis: a note that is lost costs little."""

import logging
from collections.abc import Callable
from typing import Any

from django_redis import get_redis_connection
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

PREFIX = "chattalk:original"


def at_once(redis: Any) -> Any:
    """What follows is one transaction: its keys have a hash tag in common, or are one."""
    return redis.pipeline(transaction=True)


def ask(what: Callable[[Any], Any]) -> Any:
    """None while Redis does not answer."""
    try:
        return what(get_redis_connection("default"))
    except (RedisError, OSError) as error:
        logger.info("the original's page goes on without a note: %s", error)
        return None
