"""Read from TUTORIAL_LAYER (queue or pubsub), TUTORIAL_PREFIX, TUTORIAL_PERSIST (1 or 0)."""

import os
import secrets

from chattalk.embedded import django_database

BACKENDS = {
    "queue": "channels_redis.core.RedisChannelLayer",
    "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
}

SECRET_KEY = secrets.token_urlsafe(50)
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["channels", "bench.peers.channels_tutorial"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

PERSIST = os.environ["TUTORIAL_PERSIST"] == "1"
if PERSIST:
    # Django's own backend, not ours. By default Channels would close the connection after each
    # frame, and most messages would first open one: slower, and not what a site would do.
    engine = {"ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": 600}
    DATABASES = {"default": django_database(os.environ["DATABASE_URL"]) | engine}

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": BACKENDS[os.environ["TUTORIAL_LAYER"]],
        # A prefix for each run: groups of a run that was killed stay in Redis for a day.
        "CONFIG": {"hosts": [os.environ["REDIS_URL"]], "prefix": os.environ["TUTORIAL_PREFIX"]},
    }
}
