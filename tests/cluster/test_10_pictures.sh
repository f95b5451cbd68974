#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The four pictures and the ways that packets go in them: the demonstration's own check.
set -euo pipefail
exec "$(dirname "$0")/../demo/pictures.sh"
