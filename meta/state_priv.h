/* The inside of the state directory, for state*.c alone. */
#ifndef META_STATE_PRIV_H
#define META_STATE_PRIV_H

struct state_dir {
	int attachments, locks, hints, top;
};

/* A damaged state file's name ends so. */
#define STATE_CORRUPT ".corrupt"
/* A state file on its way into place. The same for all: only who holds the container's lock writes. */
#define STATE_TEMP ".tmp.0"

#endif
