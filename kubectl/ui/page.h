/* SPDX-License-Identifier: Apache-2.0 */
/* The page itself, as ui/ is built into the program. */
#ifndef KUBECTL_UI_PAGE_H
#define KUBECTL_UI_PAGE_H

#include "kubectl/ui/server.h"

#define UI_PAGE_FILES 3
/** ui_page - its files; the bytes are lent and stay. */
void ui_page(struct ui_file out[UI_PAGE_FILES]);

#endif
