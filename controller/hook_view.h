/* The caches as the rules of admission see them. */
#ifndef CONTROLLER_HOOK_VIEW_H
#define CONTROLLER_HOOK_VIEW_H

#include <stdbool.h>

#include "admit/world.h"

struct app;

/** hook_view - lent from app; valid until its caches change. */
struct admit_world hook_view(struct app *app);
/** hook_view_is_complete - every cache has been filled once: what is not in it is not there. */
bool hook_view_is_complete(const struct app *app);

#endif
