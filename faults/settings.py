"""The site's settings, with places where it fails on demand. For the harness alone.

Nothing of it is in the site itself: faults/failpoints.py wraps what it makes fail, in workers that
are started with these settings. Production, which has no DEBUG, refuses them.
"""

import os
from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured

from chattalk.settings import *  # noqa: F403
from chattalk.settings import DEBUG, INSTALLED_APPS, SIMPLE_JWT

if not DEBUG:
    raise ImproperlyConfigured("faults.settings makes a site fail; it is for tests, with DEBUG.")
INSTALLED_APPS = [*INSTALLED_APPS, "faults"]
if seconds := os.environ.get("CHATTALK_ACCESS_SECONDS"):  # else nobody waits for an end
    life = timedelta(seconds=float(seconds))
    SIMPLE_JWT = {**SIMPLE_JWT, "ACCESS_TOKEN_LIFETIME": life, "LEEWAY": 0}
