/* SPDX-License-Identifier: Apache-2.0 */
/* `tandem-node doctor`: probe once, by hand or as the daemon's child, and print what was found. */
#ifndef NODE_DOCTOR_ONCE_H
#define NODE_DOCTOR_ONCE_H

#define ONCE_DEFAULT_MASTERS "/etc/cni/net.d/tandem.d/masters.json"

/** once_main - argv[0] is "doctor". The exit code: 0 = it was looked; 1, 2 = it could not be. */
int once_main(int argc, char **argv);

#endif
