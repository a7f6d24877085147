// The version resource of the Windows files.
#define PYTHON_COMPANY   "Python Software Foundation"
#define PYTHON_COPYRIGHT "Copyright \xA9 2001-{{year}} Python Software Foundation. Copyright \xA9 1990-1999 Somebody Else."
