#!/bin/sh
# Executable in the archive, as in git.
echo sizzle
