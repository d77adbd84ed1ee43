#!/usr/bin/env python
"""Django's command line, with one sentence instead of a traceback where a person can mend it."""

import os
import sys

STOPPED = 130  # as a shell says it of who was ended by Ctrl-C


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chattalk.settings")
    from django.core.management import execute_from_command_line

    from chattalk import sentences

    try:
        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        print("chattalk: stopped.", file=sys.stderr)
        sys.exit(STOPPED)
    except BrokenPipeError:  # `manage.py verify | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if not (sentence := sentences.of(error)):
            raise
        sys.exit(f"chattalk: {sentence}")


if __name__ == "__main__":
    main()
