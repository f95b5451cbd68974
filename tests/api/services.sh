#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The controller at a real API server: headless Services for the second card, and what a quota refuses.
exec "$(dirname "$0")/controller.sh" forbidden services
