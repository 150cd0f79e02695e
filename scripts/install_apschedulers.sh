#!/bin/sh
# Installs releases of APScheduler, each into an environment of its own, for tests that need job stores which they have written. Does nothing
# where they are there already; where they can't be had, says so, and those tests say that they are left out.
set -u
cd "$(dirname "$0")/.."

# Old ones need what they were written for: setuptools with pkg_resources, and SQLAlchemy 1.4.
install() {
  version=$1
  shift
  folder=.apscheduler-venvs/$version
  [ -e "$folder/ready" ] && return
  echo "Installing APScheduler $version"
  rm -rf "$folder"
  if .venv/bin/python -m venv "$folder" \
    && "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "apscheduler==$version" pytz "setuptools<80" "$@" >/dev/null 2>&1; then
    touch "$folder/ready"
  else
    rm -rf "$folder"
    echo "Not installed: APScheduler $version. The tests that need it are left out."
  fi
}
install 3.5.1 "sqlalchemy>=1.4,<1.5" &
install 3.6.3 "sqlalchemy>=1.4,<1.5" &
install 3.10.4 "sqlalchemy<2.1" &
install 3.11.3 "sqlalchemy<2.1" psycopg2-binary pymysql &
wait
