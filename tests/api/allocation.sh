#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The controller at a real API server: addresses, subnets and records.
exec "$(dirname "$0")/controller.sh"  one subnet, edits, restarts, load, pools, what is refused, what is restored:basic edits load pools refuse restored
