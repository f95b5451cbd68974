/* SPDX-License-Identifier: Apache-2.0 */
/* What a program inherits from whoever starts it, and does not trust. */
#ifndef LIB_BASE_PROCESS_H
#define LIB_BASE_PROCESS_H

/**
 * process_begin - the first thing that main() calls: before threads, descriptors and libraries.
 * @keep: names of the environment variables that the program reads itself, ended by NULL
 *
 * Standard descriptors that are closed are opened on /dev/null, so that no file or socket of ours gets their
 * numbers. Standard output cannot be written to then: what was to be said there has nobody to hear it, and the
 * write fails. The environment has nothing but what is kept, so that no library takes orders from it.
 *
 * Returns the environment as it was. Ends the program with status 1 where there is no /dev/null.
 */
char **process_begin(const char *const keep[]);

#endif
