/* SPDX-License-Identifier: Apache-2.0 */
/* What every cmocka program needs before cmocka.h, in the order that cmocka wants it. */
#ifndef LIB_BASE_TEST_H
#define LIB_BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
