#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same for pods of veth and a bridge, as most primaries have them.

FULL=no exec bash "$(dirname "$0")/ways.sh" bridge
