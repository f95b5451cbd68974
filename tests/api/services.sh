#!/usr/bin/env bash
# The controller at a real API server: headless Services for the second card.
exec "$(dirname "$0")/controller.sh" services
