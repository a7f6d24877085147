/* The version of this toy, in the form that CPython's own header has. */

/* What PY_RELEASE_LEVEL may be */
#define PY_RELEASE_LEVEL_ALPHA  0xA
#define PY_RELEASE_LEVEL_BETA   0xB
#define PY_RELEASE_LEVEL_GAMMA  0xC     /* a release candidate */
#define PY_RELEASE_LEVEL_FINAL  0xF     /* with serial 0 */

/* The version, number by number */
/*--start constants--*/
#define PY_MAJOR_VERSION        {{major}}
#define PY_MINOR_VERSION        {{minor}}
#define PY_MICRO_VERSION        {{micro}}
#define PY_RELEASE_LEVEL        {{level}}
#define PY_RELEASE_SERIAL       {{serial}}

/* The version as text */
#define PY_VERSION              "{{py_version}}"
/*--end constants--*/

/* The version as one number of four bytes */
#define PY_VERSION_HEX ((PY_MAJOR_VERSION << 24) | \
                        (PY_MINOR_VERSION << 16) | \
                        (PY_MICRO_VERSION <<  8) | \
                        (PY_RELEASE_LEVEL <<  4) | \
                        (PY_RELEASE_SERIAL << 0))
