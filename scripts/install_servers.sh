#!/bin/sh
# Installs what the tests talk to: PostgreSQL, PgBouncer, MariaDB, Redis, uWSGI, faketime, tmux, mandoc, and what Qt needs of the system, from Debian's packages; and
# SecantusDB, which speaks MongoDB's protocol, from PyPI into an environment of its own. Does nothing where they are there already; where
# they can't be had, says so, and the tests that need them say that they are left out.
set -u
cd "$(dirname "$0")/.."

# MongoDB itself is in no registry. SecantusDB is a beta under the GPL, and only ever a process of its own, for tests.
SECANTUS="secantusdb==0.7.0b3"
install_secantus() {
  [ -n "${MAINSPRING_TEST_MONGODB_URL:-}" ] || command -v mongod >/dev/null 2>&1 || [ -x .mongodb-venv/bin/secantusd-py ] && return
  for python in python3.11 python3.12 python3.13 python3 "$HOME"/.pyenv/versions/3.1[123].*/bin/python; do
    # It has wheels for these only, and would try to compile itself for others.
    "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1 || continue
    echo "Installing $SECANTUS"
    "$python" -m venv .mongodb-venv && .mongodb-venv/bin/python -m pip install --quiet --disable-pip-version-check "$SECANTUS" && return
    rm -rf .mongodb-venv
  done
  echo "Not installed: $SECANTUS. The tests that need a MongoDB are left out."
}
install_secantus

# The driver mysqlclient has no wheels for Linux: it is compiled, into the environment of `make` alone.
mysqlclient="mysqlclient>=2.2"
lacks_mysqlclient() {
  [ -x .venv/bin/python ] && ! .venv/bin/python -c 'import MySQLdb' >/dev/null 2>&1
}

missing=""
[ -n "${MAINSPRING_TEST_POSTGRES_URL:-}" ] || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
[ -n "${MAINSPRING_TEST_MARIADB_URL:-}" ] || command -v mariadbd >/dev/null 2>&1 || [ -x /usr/sbin/mariadbd ] || missing="$missing mariadb-server"
[ -n "${MAINSPRING_TEST_REDIS_URL:-}" ] || command -v redis-server >/dev/null 2>&1 || command -v valkey-server >/dev/null 2>&1 \
  || missing="$missing redis-server"
command -v pgbouncer >/dev/null 2>&1 || [ -x /usr/sbin/pgbouncer ] || missing="$missing pgbouncer"
command -v faketime >/dev/null 2>&1 || missing="$missing faketime"
command -v tmux >/dev/null 2>&1 || missing="$missing tmux"
command -v mandoc >/dev/null 2>&1 || missing="$missing mandoc"
command -v uwsgi_python3 >/dev/null 2>&1 || missing="$missing uwsgi-core uwsgi-plugin-python3"
for library in libEGL.so.1:libegl1 libGL.so.1:libgl1 libxkbcommon.so.0:libxkbcommon0 libdbus-1.so.3:libdbus-1-3 \
  libfontconfig.so.1:libfontconfig1 libglib-2.0.so.0:libglib2.0-0; do
  ldconfig -p 2>/dev/null | grep -q "${library%%:*}" || missing="$missing ${library##*:}"
done
if lacks_mysqlclient; then
  command -v pkg-config >/dev/null 2>&1 || missing="$missing pkg-config"
  command -v cc >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
  .venv/bin/python -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' \
    || missing="$missing python3-dev"
  pkg-config --exists libmariadb 2>/dev/null || pkg-config --exists mysqlclient 2>/dev/null || missing="$missing libmariadb-dev"
fi
install_mysqlclient() {
  lacks_mysqlclient || return
  echo "Installing $mysqlclient"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check "$mysqlclient" >/dev/null 2>&1 \
    || echo "Not installed: $mysqlclient. The tests that need it are left out."
}
[ -z "$missing" ] && { install_mysqlclient; exit 0; }

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "Not installed:$missing. The tests that need them are left out; on Debian and Ubuntu: sudo apt-get install$missing"
  exit 0
fi
echo "Installing$missing"
export DEBIAN_FRONTEND=noninteractive
# A package that starts its server when it is installed would take the port, and the machine's time.
if ! { apt-get update -qq && RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing; } >/dev/null; then
  echo "Some of$missing could not be installed."
fi
install_mysqlclient
