/* The toy has no C to compile; this header is here because tools look for it. */
#include "patchlevel.h"
