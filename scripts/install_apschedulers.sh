#!/bin/sh
# Installs releases of APScheduler, each into an environment of its own, for tests that need job stores which they have written. Does nothing
# where they are there already; where they can't be had, says so, and those tests say that they are left out.
set -u
cd "$(dirname "$0")/.."

# install FOLDER PYTHON PACKAGES…: an environment is made anew when what it is to have has changed.
install() {
  name=$1 python=$2
  shift 2
  folder=.apscheduler-venvs/$name
  [ "$(cat "$folder/ready" 2>/dev/null)" = "$*" ] && return
  echo "Installing APScheduler into $folder"
  rm -rf "$folder"
  if [ "$name" = 2.7 ]; then # which has no environments of its own
    into="--target $folder/packages"
    mkdir -p "$folder/bin"
    printf '#!/bin/sh\nPYTHONPATH="%s:$PYTHONPATH" exec "%s" "$@"\n' "$PWD/$folder/packages" "$python" >"$folder/bin/python"
    chmod +x "$folder/bin/python"
  else
    into=
    "$python" -m venv "$folder"
  fi
  # shellcheck disable=SC2086 # two words, or none
  if "$folder/bin/python" -m pip install --quiet --disable-pip-version-check $into "$@" >/dev/null 2>&1; then
    echo "$*" >"$folder/ready"
  else
    rm -rf "$folder"
    echo "Not installed: $folder. The tests that need it are left out."
  fi
}

# Old ones need what they were written for: setuptools with pkg_resources, SQLAlchemy 1.4, the redis-py and the pymongo of their day.
ours=.venv/bin/python
install 3.5.1 $ours "apscheduler==3.5.1" pytz "setuptools<80" "sqlalchemy>=1.4,<1.5" "redis<3" "pymongo<4" &
install 3.6.3 $ours "apscheduler==3.6.3" pytz "setuptools<80" "sqlalchemy>=1.4,<1.5" "redis<6" "pymongo<4" &
install 3.10.4 $ours "apscheduler==3.10.4" pytz "setuptools<80" "sqlalchemy<2.1" "redis<8" "pymongo<5" &
install 3.11.3 $ours "apscheduler==3.11.3" pytz "python-dateutil<2.10" "setuptools<80" "sqlalchemy<2.1" psycopg2-binary pymysql "redis<8" "pymongo<5" gevent tornado twisted &
install 4.0.0a6 $ours "apscheduler==4.0.0a6" "sqlalchemy<2.1" sniffio "psycopg[binary]" &
# What Python 2 has pickled is read as well.
for old in "$(command -v python2.7)" "$HOME"/.pyenv/versions/2.7.*/bin/python; do
  if "$old" -c "" 2>/dev/null; then
    install 2.7 "$old" "apscheduler==3.5.1" pytz "tzlocal<3" "sqlalchemy<1.4" futures funcsigs six &
    break
  fi
done
wait
