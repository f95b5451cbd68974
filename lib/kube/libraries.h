/* SPDX-License-Identifier: Apache-2.0 */
/* What lib/kube is linked with, for --version. */
#ifndef LIB_KUBE_LIBRARIES_H
#define LIB_KUBE_LIBRARIES_H

/** kube_libraries - names and versions of libcurl and what it uses: "libcurl/7.88.1 OpenSSL/3.0.17 ...". Static. */
const char *kube_libraries(void);

#endif
