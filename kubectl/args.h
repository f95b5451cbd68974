/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: options that every command knows, and the table of commands. */
#ifndef KUBECTL_ARGS_H
#define KUBECTL_ARGS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct cli;

/* What the program ends with. */
enum exit_status {
	EXIT_OK = 0,
	EXIT_WRONG = 1,   /* something is not as it should be, or not there; it was said what */
	EXIT_USAGE = 2,   /* the command line */
	EXIT_FAILED = 3,  /* the API server could not be asked, or refused */
	EXIT_REFUSED = 4, /* what was asked for would not be safe, or was answered with no */
};

enum output { OUTPUT_TABLE = 0, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_YAML, OUTPUT_NAME };

struct args {
	const char *kubeconfig, *context, *namespace, *as, *system_ns, *colour;
	const char **as_groups;
	size_t n_as_groups;
	bool no_headers;
	enum output output;
	uint32_t timeout_s; /* of requests */
	/* of single commands */
	const char *subnet, *node, *pod, *mac, *file, *at;
	bool wait, node_is_off, yes, all_namespaces;
	uint32_t wait_s;
	uint16_t port;       /* 0 = any */
	const char *args[2]; /* behind the command */
	size_t n_args;
};

struct command {
	const char *name;
	const char *args; /* "IP|MAC|POD", NULL = none */
	size_t min_args, max_args;
	const char *keys; /* which of the single commands' options it has, by their letters */
	const char *doc;
	int (*run)(struct cli *cli, struct err *e); /* an exit_status, or -1 with e: EXIT_FAILED */
};

/* Ended by one without a name. */
extern const struct command commands[];

/**
 * args_read - the command line, and the command in it. 0, or EXIT_USAGE after the reason was printed.
 *
 * Ends the program after --help and --version and on what argp finds wrong.
 */
int args_read(int argc, char **argv, struct args *o, const struct command **out_command);

/* For completion. */

/** args_find_command - NULL = there is none of that name. */
const struct command *args_find_command(const char *name);
/** args_option - the long name of the i-th option of a command (NULL: of all commands); NULL after the last. */
const char *args_option(const struct command *c, size_t i);
/** args_takes_value - "--name" is an option with a value. */
bool args_takes_value(const char *word);

#endif
