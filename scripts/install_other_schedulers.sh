#!/bin/sh
# Installs other schedulers, each into an environment of its own, for tests that compare with them. Does nothing where they are there already; where
# they can't be had, says so, and those tests say that they are left out.
set -u
cd "$(dirname "$0")/.."

install() {
  name=$1
  shift
  folder=.other-schedulers-venvs/$name
  [ -e "$folder/ready" ] && return
  echo "Installing $*"
  rm -rf "$folder"
  if .venv/bin/python -m venv "$folder" \
    && "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >/dev/null 2>&1; then
    touch "$folder/ready"
  else
    rm -rf "$folder"
    echo "Not installed: $*. The tests that need them are left out."
  fi
}
# Two, since what they need has modules of the same name. Celery's solar schedules need ephem, and ours astral.
install celery "celery==5.7.0" "django-celery-beat==2.9.0" ephem astral &
install rq "rq-scheduler==0.14.0" &
wait
