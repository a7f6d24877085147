/* The notice that the interpreter shows. */

#include "Python.h"

static const char notice[] =
"\
Copyright (c) 2001-{{year}} Python Software Foundation.\n\
All Rights Reserved.\n\
\n\
Copyright (c) 1990-1999 Somebody Else Entirely.\n\
All Rights Reserved.";

const char *
Py_GetCopyright(void)
{
    return notice;
}
