#!/bin/sh
# Writes the locks anew, with a hash for every file. `make lock` keeps what is locked where pyproject.toml allows it;
# `make lock UPGRADE=--upgrade` takes the newest.
set -eu
cd "$(dirname "$0")/.."
uv=.venv-setup/uv/bin/uv
lock() {
    # No index URL in the files: everybody installs from the index that their machine is set up for.
    "$uv" pip compile --quiet --python-version 3.10 --generate-hashes --no-emit-index-url \
        --custom-compile-command "make lock" ${UPGRADE:+"$UPGRADE"} "$@"
}
lock --override requirements-overrides.txt pyproject.toml -o requirements.txt
lock --override requirements-overrides.txt --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt
echo uv | lock - -o requirements-uv.txt
# What `make bench` measures against: Rasa as everybody gets it, TensorFlow included.
printf 'rasa==3.6.21\nsetuptools==70.3.0\n' | lock - -o requirements-bench.txt
