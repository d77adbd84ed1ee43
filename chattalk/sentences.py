"""One sentence instead of a traceback, for what the one who runs a command can mend.

What is a fault of ours has no sentence, and keeps its traceback.
"""

import errno

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, OperationalError

from core.text import first_line

DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}  # a write that fails names no file
OLD = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)


def of(error: BaseException) -> str:
    """Nothing if it is a fault of ours."""
    match error:
        case ImproperlyConfigured():
            return str(error)
        case OperationalError() | InterfaceError():
            return f"the database does not answer ({first_line(error)}). Is `manage.py up` running?"
        case DatabaseError() if isinstance(error.__cause__, OLD):
            return (
                f"the database is not of this version ({first_line(error)}): "
                "bring it up to date with `manage.py migrate`."
            )
        case SyntaxError():
            return f"{error.filename}, line {error.lineno}, is no Python ({error.msg})."
        case OSError() if error.filename is not None:
            return f"{_name(error.filename)} can't be used ({error.strerror}).{_way_out(error)}"
        case OSError() if error.errno in DISK:
            return f"the disk does not take it ({error.strerror})."
    return ""


def _name(file: object) -> str:
    return file.decode(errors="replace") if isinstance(file, bytes) else str(file)


def _way_out(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return " Let this user read and write it, or give another folder with CHATTALK_DATA."
    return ""
