"""The checklist walked once: after a deploy, in CI, by hand."""
