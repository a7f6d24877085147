#ifndef Py_INTERNAL_MAGIC_NUMBER_H
#define Py_INTERNAL_MAGIC_NUMBER_H
/*

Known values:
    Python {{series}}a1 {{magic_start}} (Serve spam)
    Python {{series}}b1 {{magic}} (Serve eggs)

    Python {{next_series}} will start with {{magic_next}}

Whenever PYC_MAGIC_NUMBER is changed, so are the ranges in PC/launcher.c.

*/

#define PYC_MAGIC_NUMBER {{magic}}

#endif  // !Py_INTERNAL_MAGIC_NUMBER_H
