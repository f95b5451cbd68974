/* SPDX-License-Identifier: Apache-2.0 */
#include "kubectl/ui/page.h"

/* The Makefile says where tools/page.sh has put them. */
#ifndef PAGE_DIR
#define EMBED(name, file) \
	__asm__(".section .rodata\n" #name "_begin: " #name "_end: .byte 0\n.previous\n")
#else
#define EMBED(name, file)                                             \
	__asm__(".section .rodata.page, \"a\"\n" #name "_begin:\n"    \
		".incbin \"" PAGE_DIR "/" file "\"\n" #name "_end:\n" \
		".byte 0\n"                                           \
		".previous\n"                                         \
		".global " #name "_begin, " #name "_end\n"            \
		".hidden " #name "_begin\n.hidden " #name "_end\n")
#endif

#define BYTES(name)                                                             \
	extern const char name##_begin[] __attribute__((visibility("hidden"))); \
	extern const char name##_end[] __attribute__((visibility("hidden")))

BYTES(page_html);
BYTES(page_js);
BYTES(page_css);

EMBED(page_html, "index.html");
EMBED(page_js, "page.js");
EMBED(page_css, "page.css");

static struct ui_file file(const char *path, const char *type, const char *begin, const char *end)
{
	return (struct ui_file){path, type, begin, (size_t)(end - begin)};
}

void ui_page(struct ui_file out[UI_PAGE_FILES])
{
	out[0] = file("/", "text/html; charset=utf-8", page_html_begin, page_html_end);
	out[1] = file("/page.js", "text/javascript; charset=utf-8", page_js_begin, page_js_end);
	out[2] = file("/page.css", "text/css; charset=utf-8", page_css_begin, page_css_end);
}
