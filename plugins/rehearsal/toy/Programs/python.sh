#!/bin/sh
# The interpreter of the toy: it knows its version and its tests, and hands the rest to python3.
here='%SRCDIR%'
version='%VERSION%'
case "$1" in
    -V | --version) echo "Python $version"; exit 0 ;;
    -VV) echo "Python $version (toy)"; exit 0 ;;
esac
PYTHONDONTWRITEBYTECODE=1 TOY_VERSION="$version" exec python3 "$here/Programs/toymain.py" "$@"
