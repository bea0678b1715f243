#!/usr/bin/env bash
#
# build.sh SOURCE FOLDER COMPILER: the programs with their crash points, and the lab, in a folder of their own.
set -euo pipefail

cmake -S "$1" -B "$2" -DOMNI_CRASH_POINTS=ON -DCMAKE_C_COMPILER="$3"
exec cmake --build "$2" -j "$(nproc)" --target programs lab
