"""Real servers for tests, each in a temporary folder on a free port of this machine."""
