"""The fault matrix: every fault done to the real demo, one at a time, and what its monitor told."""
