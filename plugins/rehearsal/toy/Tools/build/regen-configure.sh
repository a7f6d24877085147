#!/bin/sh
# Write configure again, with the autoconf that the branch agreed on ({{autoconf}}).
set -e
cd "$(dirname "$0")/../.."
autoreconf -ivf -Werror
