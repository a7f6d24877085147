set -e
prefix=/usr/local
for option; do
    case $option in
        --help) echo "usage: configure --prefix=FOLDER"; exit 0 ;;
        --prefix=*) prefix=${option#--prefix=} ;;
        --* | *=*) ;;
        *) echo "configure: error: what is $option" >&2; exit 1 ;;
    esac
done
srcdir=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/^#define PY_VERSION  *"\(.*\)".*/\1/p' "$srcdir/Include/patchlevel.h")
test -n "$version" || { echo "configure: error: no version in Include/patchlevel.h" >&2; exit 1; }
echo "configuring python $version in $(pwd)" | tee config.log
sed -e "s|@srcdir@|$srcdir|g" -e "s|@prefix@|$prefix|g" -e "s|@VERSION@|$version|g" \
    "$srcdir/Makefile.pre.in" > Makefile
sed -e "s|#undef TOY|#define TOY 1|" "$srcdir/pyconfig.h.in" > pyconfig.h
echo "#!/bin/sh" > config.status
echo "config.status: created Makefile"
