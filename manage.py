#!/usr/bin/env python
"""Django's command line, with one sentence instead of a traceback when a setting is wrong."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chattalk.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"chattalk: {error}")
    except OperationalError as error:
        said = str(error).strip().splitlines()[0]
        sys.exit(f"chattalk: the database does not answer ({said}). Is `manage.py up` running?")


if __name__ == "__main__":
    main()
