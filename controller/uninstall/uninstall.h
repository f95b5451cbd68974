/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tandem-controller uninstall: a program of its own that ends. Whatever it finds done already it leaves, so that it
 * can be run again after whatever stopped it.
 */
#ifndef CONTROLLER_UNINSTALL_UNINSTALL_H
#define CONTROLLER_UNINSTALL_UNINSTALL_H

/** uninstall_run - the subcommand; argv[0] is its name. The exit code: 0 = nothing is left but what was applied. */
int uninstall_run(int argc, char **argv);

#endif
