#!/bin/sh
# Fetches the tests that APScheduler, and packages built on it, ship in their source distributions, and runs them on the original once: what passes
# there is to pass under the alias too (tests/compat). They stay in a folder that git ignores. Does nothing where they are there already; where
# they can't be had, says so, and the tests that need them say that they are left out.
set -u
cd "$(dirname "$0")/.."
root=$PWD/.apscheduler-venvs/original-tests
here=$PWD

# install NAME VERSION PACKAGES…: the source distribution, and an environment that has the release itself, APScheduler, and what the tests need
# besides what the project's own environment has.
install() {
  name=$1 version=$2
  shift 2
  folder=$root/$name-$version
  [ -e "$folder/outcomes.json" ] && return
  echo "Fetching the tests of $name $version"
  rm -rf "$folder"
  mkdir -p "$folder/source"
  if ! {
    .venv/bin/python -m venv --without-pip "$folder/venv" \
      && .venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
        > "$("$folder/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/of_the_project.pth" \
      && .venv/bin/python -m pip --python "$folder/venv/bin/python" install --quiet --disable-pip-version-check "$@" \
      && .venv/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --no-binary "$name" --dest "$folder" "$name==$version" \
      && tar -xzf "$folder"/*.tar.gz -C "$folder/source" --strip-components 1
  } >/dev/null 2>"$folder/errors"; then
    echo "Not to be had: the tests of $name $version ($(tail -n 1 "$folder/errors")). They are left out."
    rm -rf "$folder"
    return
  fi
  conftest="tests/compat/original_tests/conftests/$name.py"
  if [ -e "$conftest" ]; then  # which the distribution lacks
    cp "$conftest" "$folder/source/tests/conftest.py"
    touch "$folder/source/tests/__init__.py"
  fi
  "$here/.venv/bin/python" tests/compat/original_tests/suites.py "$name" "$folder/outcomes.json"
}
install apscheduler 3.11.3 apscheduler==3.11.3 anyio &
install apscheduler-dishka 1.1.1 apscheduler==3.11.3 apscheduler-dishka==1.1.1 "pytest-asyncio>=1.3,<2" &
install django-apscheduler 0.7.0 apscheduler==3.11.3 django-apscheduler==0.7.0 "django>=5.2,<6" "pytest-django>=4.14,<5" pytz &
install python-telegram-bot 22.8 apscheduler==3.11.3 "python-telegram-bot[job-queue,passport]==22.8" pytest==9.0.3 pytest-asyncio==0.21.2 "flaky>=3.8.1,<4" pytz tzdata &
wait
