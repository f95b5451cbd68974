/* SPDX-License-Identifier: Apache-2.0 */
/* YAML out of JSON. */
#ifndef KUBECTL_PRINT_YAML_H
#define KUBECTL_PRINT_YAML_H

struct jval;
struct sb;

/** print_yaml - append the value as a YAML document; strings that YAML could take for something else are quoted. */
void print_yaml(const struct jval *v, struct sb *out);

/** print_json - append the value as indented JSON, as kubectl does. */
void print_json(const struct jval *v, struct sb *out);

#endif
