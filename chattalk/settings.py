"""Every setting, from the environment. A wrong value stops the start and names itself.

`.env.example` lists all of them with their units. A `.env` file beside manage.py is read too;
what the environment already says wins over it.
"""

import hmac
import os
from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from chattalk import embedded
from chattalk.environment import (
    choice,
    flag,
    kafka,
    networks,
    number,
    origins,
    read,
    secret,
    token,
    topic,
    words,
)
from core import redis
from core.postgresql import sessions
from core.redis import EndedConnections, RedisBreaker

BASE_DIR = Path(__file__).resolve().parent.parent

UNKNOWN_NAMES = read(BASE_DIR / ".env", BASE_DIR / ".env.example")  # in the file; `up` tells them


def _address(name: str, schemes: tuple[str, ...]) -> str:
    """The address of a server: the environment's, else that of the embedded one."""
    value = os.environ.get(name) or embedded.addresses(DATA_DIR)[name]
    return embedded.check_address(name, value, schemes)


# --- this installation ------------------------------------------------------------------------

DATA_DIR = Path(os.environ.get("CHATTALK_DATA") or BASE_DIR / "var").resolve()
DEBUG = flag("DEBUG", True)
_secret = os.environ.get("SECRET_KEY", "")
SECRET_KEY = (_secret or embedded.secret_key(DATA_DIR)) if DEBUG else secret("SECRET_KEY", _secret)
ALLOWED_HOSTS = words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS", [])
CORS_ALLOWED_ORIGINS = origins("CORS_ALLOWED_ORIGINS")
HTTPS = flag("HTTPS", not DEBUG)
# How many processes share this machine and its PostgreSQL: `up` tells each of its workers.
WORKERS = int(number("CHATTALK_WORKERS", 1, 1, 64))
WORKER = int(number("CHATTALK_WORKER", 0, 0, 64))  # which of them this is; 0: none of `up`

# --- what people may do -----------------------------------------------------------------------

MESSAGE_RATE = number("MESSAGE_RATE", 5, 0.01, 1e9)  # messages a second, per person and room
MESSAGE_BURST = int(number("MESSAGE_BURST", 20, 1, 1e9))  # messages at once, per person and room
# The same, over all rooms of a person; long ones count more (messaging/live/message_limits.py).
PERSON_MESSAGE_RATE = number("PERSON_MESSAGE_RATE", min(4 * MESSAGE_RATE, 1e9), 0.01, 1e9)
PERSON_MESSAGE_BURST = int(number("PERSON_MESSAGE_BURST", min(5 * MESSAGE_BURST, 1e9), 1, 1e9))
MESSAGE_KEEP_DAYS = number("MESSAGE_KEEP_DAYS", 0, 0, 36500)  # 0 keeps for ever
FRAME_RATE = number("FRAME_RATE", 200, 1, 1e9)  # frames a second that are read, per socket
FRAME_BURST = int(number("FRAME_BURST", 400, 1, 1e9))  # frames at once, per socket
API_RATE = int(number("API_RATE", 600, 1, 1e9))  # requests a minute, per person
API_RATE_NOBODY = int(number("API_RATE_NOBODY", 120, 1, 1e9))  # the same, per address
PAGE_RATE = int(number("PAGE_RATE", 600, 1, 1e9))  # pages and forms a minute, per person
PAGE_RATE_NOBODY = int(number("PAGE_RATE_NOBODY", 600, 1, 1e9))  # the same, per address
SIGN_IN_RATE = int(number("SIGN_IN_RATE", 60, 1, 1e9))  # a minute, per address
SIGN_UP_RATE = int(number("SIGN_UP_RATE", 60, 1, 1e9))  # an hour, per address
PASSWORD_RATE = int(number("PASSWORD_RATE", 20, 1, 1e9))  # changes an hour, tries too, per person
JOIN_RATE = int(number("JOIN_RATE", 60, 1, 1e9))  # seats taken a minute, per person
ROOM_RATE = int(number("ROOM_RATE", 60, 1, 1e9))  # rooms opened an hour, per person
# In each process; all of them together have as many times as much.
PERSON_SOCKETS = int(number("PERSON_SOCKETS", 50, 1, 1e9))  # open at once, of one person
ADDRESS_SOCKETS = int(number("ADDRESS_SOCKETS", 1000, 1, 1e9))  # the same, of one address
# Of them, those that have not said yet who they are, at the doors of STOMP.
ADDRESS_STRANGERS = int(number("ADDRESS_STRANGERS", 100, 1, 1e9))
ADDRESS_CONNECTIONS = int(number("ADDRESS_CONNECTIONS", 200, 1, 1e9))  # others than sockets
SEAT_WAIT_SECONDS = number("SEAT_WAIT_SECONDS", 10, 0.1, 60)  # at the door of a crowded room

# --- the original's client (docs/original.md) --------------------------------------------------

ORIGINAL_CLIENT = flag("ORIGINAL_CLIENT", True)  # whether its doors are there
ORIGINAL_TOKEN_COOKIE = "Authorization"
ORIGINAL_TOKEN_LIFE = timedelta(hours=1)  # it knows no refresh
ORIGINAL_WEAK_PASSWORDS = flag("ORIGINAL_WEAK_PASSWORDS", False)  # for its load scripts

# --- the application --------------------------------------------------------------------------

INSTALLED_APPS = [
    "chattalk",  # first: it brings the `runserver` of daphne
    "chattalk.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "accounts.sign_ins.SignInsConfig",  # axes
    "csp",
    "corsheaders",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "graphene_django",
    "accounts",
    "rooms",
    "messaging",
    "presence",
    "interfaces",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "chattalk.server.headers.policies",
    "chattalk.server.static.StaticFiles",
    "core.answer_limit.bounded",
    "csp.middleware.CSPMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "chattalk.server.outage.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "chattalk.server.outage.Available",
    "interfaces.web.language.LanguageMiddleware",
    "interfaces.web.throttle.Paced",
    "interfaces.web.whose.Whose",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "chattalk.urls"
ASGI_APPLICATION = "chattalk.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- the servers ------------------------------------------------------------------------------

POSTGRESQL = ("postgresql", "postgres")
DATABASE_URL = _address("DATABASE_URL", POSTGRESQL)
REDIS_URL = _address("REDIS_URL", redis.SCHEMES)
MONGODB_URL = _address("MONGODB_URL", ("mongodb", "mongodb+srv"))

# Of PostgreSQL, for one process: one that writes, some for what sockets read, and the rest for
# pages and requests. `up` gives each worker its share of what the server allows.
DATABASE_CONNECTIONS = int(number("DATABASE_CONNECTIONS", 17, 4, 1000))
READ_CONNECTIONS = min(4, DATABASE_CONNECTIONS // 3)

# TRANSACTION: PgBouncer is before it, and hands out a connection for a transaction only.
DATABASE_POOLER = choice("DATABASE_POOLER", "NONE", ("NONE", "TRANSACTION"))
POOLED = DATABASE_POOLER == "TRANSACTION"
DATABASE_DIRECT_URL = os.environ.get("DATABASE_DIRECT_URL", "")  # past it, for migrations
if DATABASE_DIRECT_URL:
    embedded.check_address("DATABASE_DIRECT_URL", DATABASE_DIRECT_URL, POSTGRESQL)
    DATABASE_DIRECT = embedded.django_database(DATABASE_DIRECT_URL, "DATABASE_DIRECT_URL")

# A standby that only reads, for old pages and exports; not asked while it is further behind.
DATABASE_REPLICA_URL = os.environ.get("DATABASE_REPLICA_URL", "")
DATABASE_REPLICA_LAG = number("DATABASE_REPLICA_LAG", 10, 3, 3600)  # seconds
DATABASE_REPLICA = {}
if DATABASE_REPLICA_URL:
    embedded.check_address("DATABASE_REPLICA_URL", DATABASE_REPLICA_URL, POSTGRESQL)
    DATABASE_REPLICA = embedded.django_database(DATABASE_REPLICA_URL, "DATABASE_REPLICA_URL")
    DATABASE_REPLICA["OPTIONS"].pop("target_session_attrs", None)

_known = bool(os.environ.get("DATABASE_URL") or embedded.running_servers(DATA_DIR))
_database = embedded.django_database(DATABASE_URL)
DATABASES = {
    "default": {
        **_database,
        "OPTIONS": {
            "connect_timeout": 3,  # seconds
            **_database["OPTIONS"],
            # No pool where nothing is known to listen: it would only knock for 5 s.
            "pool": _known
            and {
                "min_size": 1,
                "max_size": DATABASE_CONNECTIONS - READ_CONNECTIONS - 1,
                "timeout": 3,
                "max_waiting": 1000,  # requests; each of them is a thread
                "reconnect_timeout": 2,  # then who asks begins anew, not in half a minute
            },
            **({} if POOLED else {"options": sessions.as_options(sessions.LIMITS)}),
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# How all that wait for Redis in a thread do it: not for long, and after one waited in vain, not
# at all until it answers again.
REDIS_BREAKER = RedisBreaker()
REDIS_OPTIONS = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 0.5,
    "retry": REDIS_BREAKER,
}
REDIS_ENDED = EndedConnections(again=1)  # and how the event loop does
_cache = {
    "BACKEND": "core.redis.django_cache.shared",
    "LOCATION": [REDIS_URL],  # one, though it may name many hosts
    "KEY_PREFIX": "chattalk",
}
_cache_options = {"CONNECTION_POOL_KWARGS": REDIS_OPTIONS} | redis.cache_options(REDIS_URL)
CACHES = {
    # A dead cache is a slow day, not an outage: reads miss, the database answers.
    "default": {
        **_cache,
        "OPTIONS": {"IGNORE_EXCEPTIONS": True} | _cache_options,
    },
    # Of who signs in by token (accounts/token_cache.py), which has to know when it fails.
    "tokens": {**_cache, "OPTIONS": _cache_options},
}
_layers = {
    "single": "channel_layer.PubSubLayer",
    "cluster": "sharded_layer.ShardedLayer",
    "sentinel": "watched_layer.WatchedLayer",
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": f"messaging.live.{_layers[redis.form(REDIS_URL)]}",
        "CONFIG": {
            # redis-py 8 closes a socket that was idle for 5 s unless told not to.
            "hosts": [
                redis.layer_host(
                    REDIS_URL, socket_timeout=None, max_connections=1000, retry=EndedConnections()
                )
            ],
            "prefix": "chattalk",
        },
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

# --- Kafka (docs/kafka.md): for `manage.py relay` and `manage.py ingest` ------------------------

KAFKA = kafka("KAFKA_URL")  # librdkafka's options; none: there is no Kafka
KAFKA_TOPIC = topic("KAFKA_TOPIC", "chattalk.lines")  # what is said
KAFKA_COMMANDS_TOPIC = topic("KAFKA_COMMANDS_TOPIC", "chattalk.commands")  # what is to be said

# --- accounts ---------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "accounts.backends.PacedBackend",
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "accounts.passwords.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [{"NAME": "accounts.passwords.MaximumLength"}]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "lobby"
LOGOUT_REDIRECT_URL = "accounts:sign_in"
AXES_HANDLER = "accounts.attempts.Attempts"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # a stranger can't lock the owner out
AXES_CLIENT_IP_CALLABLE = "core.client_ip.of_attempt"
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "interfaces.web.accounts.locked_out"
AXES_USERNAME_CALLABLE = "accounts.lockout.attempted_email"  # capitals are no other account
# It keeps what was posted with a failed try; `password` it leaves out by itself.
AXES_SENSITIVE_PARAMETERS = ["username", "old_password", "new_password1", "new_password2"]
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # the time we name does not move

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "interfaces.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",  # our own pages; it enforces CSRF
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["interfaces.api.throttle.Throttle"],
    "DEFAULT_PARSER_CLASSES": ["interfaces.api.parser.StrictJson"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "interfaces.api.openapi.Schema",
    "EXCEPTION_HANDLER": "interfaces.api.errors.answer",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ChatTalk",
    "DESCRIPTION": "Group chat for mobile clients. What is said live, the socket tells: "
    "docs/wire.md. The first message, step by step: docs/api.md.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "PATH_CONVERTER_OVERRIDES": {"number": {"type": "integer", "format": "int64", "minimum": 0}},
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "EventKind": "interfaces.api.event_serializers.KINDS",
        "MemberRole": "interfaces.api.event_serializers.ROLES",
        "Language": "interfaces.api.account_serializers.LANGUAGES",
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "interfaces.api.openapi.add_problems",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    # Not the secret itself: what is signed elsewhere with it is never a token, nor the reverse.
    "SIGNING_KEY": hmac.new(SECRET_KEY.encode(), b"tokens", "sha256").hexdigest(),
    "ISSUER": "chattalk",
    "AUDIENCE": "chattalk",
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "USER_ID_CLAIM": "sub",
    "LEEWAY": 10,  # seconds, between the clocks of two machines
}

# The modules whose Query and Mutation are joined at /graphql/.
GRAPHQL_PARTS = ["interfaces.graphql.rooms"]
if ORIGINAL_CLIENT:
    GRAPHQL_PARTS += [
        "interfaces.original.graphql",
        "interfaces.original.graphql_rooms",
    ]
# For `manage.py graphql_schema`, which writes what a test compares.
GRAPHENE = {"SCHEMA": "interfaces.graphql.schema.schema", "SCHEMA_OUTPUT": "docs/schema.graphql"}

# --- safety -----------------------------------------------------------------------------------

SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
# Whose X-Forwarded-For and -Proto the server believes; Django reads neither, only what it says.
BEHIND_PROXY = flag("BEHIND_PROXY", False)
TRUSTED_PROXIES = networks("TRUSTED_PROXIES", ["127.0.0.0/8", "::1"]) if BEHIND_PROXY else []
# For pages at CORS_ALLOWED_ORIGINS, with their cookies; nothing else of the site is for them.
CORS_URLS_REGEX = r"^/(api|stomp)/"
CORS_ALLOW_CREDENTIALS = True
CORS_EXPOSE_HEADERS = ["ETag", "Link", "Retry-After"]
CSRF_FAILURE_VIEW = "interfaces.web.stale_forms.stale"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

# --- language, time, files --------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ko", _("Korean"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "chattalk.formats"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("client", BASE_DIR / "clients" / "js" / "lib"),  # the pages use the client that others can use
]
WHITENOISE_USE_FINDERS = True  # no collectstatic step between a clone and a page
WHITENOISE_MAX_AGE = 0 if DEBUG else 60  # seconds; what has its version in its address: for good
STORAGES = {"staticfiles": {"BACKEND": "chattalk.server.static.Versioned"}}

# --- what operators look at (docs/monitoring.md) -----------------------------------------------

# Of this process, on loopback; `up` has this one, and gives its workers those that follow. 0: none.
METRICS_PORT = int(number("METRICS_PORT", 0, 0, 65535 - 64))
METRICS_TOKEN = token("METRICS_TOKEN")  # shows the same at /metrics of the site; without it, 404

LOG_LEVEL = choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOG_FORMAT = choice("LOG_FORMAT", "TEXT", ("TEXT", "JSON"))
_lines = {
    "TEXT": {
        "()": "chattalk.server.journal.Line",
        "fmt": "{asctime} {levelname} {name}: {message}",
        "style": "{",
    },
    "JSON": {"()": "chattalk.server.json_lines.JsonLine"},
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": _lines[LOG_FORMAT]},
    "handlers": {"console": {"class": "chattalk.server.journal.Journal", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        # While Redis is away it logs a traceback each second; messaging/live/broker.py says it
        # once.
        "channels_redis.pubsub": {"level": "CRITICAL"},
        # And of PostgreSQL core/postgresql/breaker.py.
        "psycopg.pool": {"level": "ERROR"},
    },
}
