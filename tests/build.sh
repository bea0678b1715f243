#!/usr/bin/env bash
#
# build.sh SOURCE FOLDER COMPILER OPTION TARGET...: another build of the same tree, in a folder of its own.
set -euo pipefail

cmake -S "$1" -B "$2" -DCMAKE_C_COMPILER="$3" -D"$4"=ON
exec cmake --build "$2" -j "$(nproc)" --target "${@:5}"
