/* A library that somebody else might have written; the SBOM tells of it. */
