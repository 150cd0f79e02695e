#!/bin/sh
# Installs what the tests talk to: PostgreSQL, MariaDB, faketime, and what Qt needs of the system, from Debian's packages. Does nothing where they are
# there already; where they can't be had, says so, and the tests that need them say that they are left out.
set -u

missing=""
[ -n "${MAINSPRING_TEST_POSTGRES_URL:-}" ] || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
[ -n "${MAINSPRING_TEST_MARIADB_URL:-}" ] || command -v mariadbd >/dev/null 2>&1 || [ -x /usr/sbin/mariadbd ] || missing="$missing mariadb-server"
command -v faketime >/dev/null 2>&1 || missing="$missing faketime"
for library in libEGL.so.1:libegl1 libGL.so.1:libgl1 libxkbcommon.so.0:libxkbcommon0 libdbus-1.so.3:libdbus-1-3 \
  libfontconfig.so.1:libfontconfig1 libglib-2.0.so.0:libglib2.0-0; do
  ldconfig -p 2>/dev/null | grep -q "${library%%:*}" || missing="$missing ${library##*:}"
done
[ -z "$missing" ] && exit 0

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
